// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/group_norm.hpp"

#include "sobolev/core/buffer_on.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class GroupNorm : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(GroupNorm, test::BackEnds, test::BackEndNames);

struct Size {
  std::size_t samples, points, channels, groups;
  int weights;  // 0: none, 1: by channel, 2: by point and channel
};

/// x̂ by the definition, in double.
std::vector<double> normalised(const std::vector<double>& x, const Size& s, std::vector<double>& scale) {
  std::vector<double> out(x.size());
  scale.assign(x.size(), 0);
  const std::size_t width = s.channels / s.groups;
  for (std::size_t b = 0; b < s.samples; ++b)
    for (std::size_t g = 0; g < s.groups; ++g) {
      const auto at = [&](std::size_t n, std::size_t c) {
        return (b * s.points + n) * s.channels + g * width + c;
      };
      double mean = 0, variance = 0;
      const double count = double(s.points * width);
      for (std::size_t n = 0; n < s.points; ++n)
        for (std::size_t c = 0; c < width; ++c) mean += x[at(n, c)] / count;
      for (std::size_t n = 0; n < s.points; ++n)
        for (std::size_t c = 0; c < width; ++c) variance += std::pow(x[at(n, c)] - mean, 2) / count;
      for (std::size_t n = 0; n < s.points; ++n)
        for (std::size_t c = 0; c < width; ++c) {
          scale[at(n, c)] = 1 / std::sqrt(variance + 1e-5);
          out[at(n, c)] = (x[at(n, c)] - mean) * scale[at(n, c)];
        }
    }
  return out;
}

TYPED_TEST(GroupNorm, IsItsFormulaAndHasItsAdjoint) {
  using T = typename TypeParam::Scalar;
  const double eps = double(std::numeric_limits<T>::epsilon());
  const auto& executor = test::executor_of<TypeParam>();
  for (const Size& s : {Size{2, 7, 6, 1, 2}, Size{3, 5, 6, 3, 1}, Size{1, 40, 4, 4, 0}, Size{2, 3, 300, 2, 1},
                        Size{1, 1, 2, 1, 2}}) {
    if (test::in_another_order() && s.channels > 10) continue;
    const std::size_t size = s.samples * s.points * s.channels,
                      w = s.weights == 0   ? 0
                          : s.weights == 1 ? s.channels
                                           : s.points * s.channels,
                      work = group_norm_workspace(s.samples, s.channels);
    test::Guarded<TypeParam> x(size, 1, 3), weight(w, 2), bias(w, 3), y(size), y_bar(size, 4), x_bar(size, 5),
        w_bar(w, 6), b_bar(w, 7), none(0);
    auto statistics = zeros<double>(executor, s.samples * s.groups * 2),
         workspace = zeros<double>(executor, work);
    const auto copy_of = [](auto& from) {
      return std::vector<double>(from.data(), from.data() + from.size());
    };
    const std::vector<double> xs = copy_of(x), ws = copy_of(weight), bs = copy_of(bias),
                              bars = copy_of(y_bar), x_before = copy_of(x_bar), w_before = copy_of(w_bar),
                              b_before = copy_of(b_bar);
    const View<double, 3> stats(statistics.data(), s.samples, s.groups, 2);
    group_norm<T>(executor, FieldActivation::identity, x.cview(s.samples, s.points, s.channels),
                  weight.cview(w), bias.cview(w), y.view(s.samples, s.points, s.channels), stats,
                  none.view(0, 0, 0));
    group_norm_adjoint<T>(executor, x.cview(s.samples, s.points, s.channels), weight.cview(w),
                          View<const double, 3>(stats), none.cview(0, 0, 0),
                          y_bar.view(s.samples, s.points, s.channels),
                          x_bar.view(s.samples, s.points, s.channels), true, w_bar.view(w), b_bar.view(w),
                          View<double, 1>(workspace.data(), work));
    std::vector<double> scale;
    const std::vector<double> normal = normalised(xs, s, scale);
    const auto weight_of = [&](std::size_t i) {
      return s.weights == 1 ? i % s.channels : i % (s.points * s.channels);
    };
    std::vector<double> want_w(w_before), want_b(b_before), size_w(w, 1);
    const std::size_t width = s.channels / s.groups;
    for (std::size_t i = 0; i < size; ++i) {
      const double want = w == 0 ? normal[i] : ws[weight_of(i)] * normal[i] + bs[weight_of(i)];
      ASSERT_NEAR(double(y.data()[i]), want, 32 * eps * (2 + std::abs(want) + std::abs(normal[i])));
      if (w > 0) {
        want_w[weight_of(i)] += bars[i] * normal[i];
        want_b[weight_of(i)] += bars[i];
        size_w[weight_of(i)] += std::abs(bars[i]) * (1 + std::abs(normal[i]));
      }
      // x̄ by the sum over all of ∂y_j/∂x_i = w_j scale (δ_ij − (1 + x̂_i x̂_j)/count), of the same group.
      const std::size_t b = i / s.channels / s.points, g = i % s.channels / width;
      double sum = x_before[i], terms = std::abs(sum);
      const double count = double(s.points * width);
      for (std::size_t n = 0; n < s.points; ++n)
        for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
          const std::size_t j = (b * s.points + n) * s.channels + c;
          const double bar = (w == 0 ? 1 : ws[weight_of(j)]) * bars[j];
          const double term = bar * scale[i] * ((i == j) - (1 + normal[i] * normal[j]) / count);
          sum += term;
          terms += std::abs(term);
        }
      ASSERT_NEAR(double(x_bar.data()[i]), sum, 64 * eps * (1 + terms)) << i;
    }
    for (std::size_t k = 0; k < w; ++k) {
      ASSERT_NEAR(double(w_bar.data()[k]), want_w[k], 64 * eps * size_w[k]);
      ASSERT_NEAR(double(b_bar.data()[k]), want_b[k], 64 * eps * size_w[k]);
    }
  }
}

TYPED_TEST(GroupNorm, KeepsTheDigitsOfSmallDeviations) {
  using T = typename TypeParam::Scalar;
  const auto& executor = test::executor_of<TypeParam>();
  const std::size_t n = 64;
  test::Guarded<TypeParam> x(n), y(n), none(0);
  for (std::size_t i = 0; i < n; ++i) x[i] = T(1000 + (i % 2 == 0 ? 1 : -1));
  auto statistics = zeros<double>(executor, 2);
  group_norm<T>(executor, FieldActivation::identity, x.cview(1, n, 1), none.cview(0), none.cview(0),
                y.view(1, n, 1), View<double, 3>(statistics.data(), 1, 1, 2), none.view(0, 0, 0));
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(double(y.data()[i]), i % 2 == 0 ? 1 : -1, 2e-5);
}

TYPED_TEST(GroupNorm, HasTheActivationAndItsSlope) {
  using T = typename TypeParam::Scalar;
  const auto& executor = test::executor_of<TypeParam>();
  const double eps = double(std::numeric_limits<T>::epsilon());
  const std::size_t n = 9, c = 5, size = n * c;
  test::Guarded<TypeParam> x(size, 1), z(size), y(size), slope(size), y_bar(size, 2), x_bar(size), none(0);
  auto statistics = zeros<double>(executor, 2),
       workspace = zeros<double>(executor, group_norm_workspace(1, c));
  const View<double, 3> stats(statistics.data(), 1, 1, 2);
  const auto norm = [&](FieldActivation activation, auto& to, View<T, 3> slopes) {
    group_norm<T>(executor, activation, x.cview(1, n, c), none.cview(0), none.cview(0), to.view(1, n, c),
                  stats, slopes);
  };
  const std::vector<double> bars(y_bar.data(), y_bar.data() + size);
  norm(FieldActivation::identity, z, none.view(0, 0, 0));
  norm(FieldActivation::gelu, y, slope.view(1, n, c));
  group_norm_adjoint<T>(executor, x.cview(1, n, c), none.cview(0), View<const double, 3>(stats),
                        slope.cview(1, n, c), y_bar.view(1, n, c), x_bar.view(1, n, c), false, none.view(0),
                        none.view(0), View<double, 1>(workspace.data(), workspace.size()));
  for (std::size_t i = 0; i < size; ++i) {
    const double v = double(z.data()[i]), phi = 0.5 * std::erfc(-v / std::sqrt(2.0)),
                 derivative = phi + v * std::exp(-v * v / 2) / std::sqrt(2 * M_PI);
    EXPECT_NEAR(double(y.data()[i]), v * phi, 16 * eps * (1 + std::abs(v)));
    EXPECT_NEAR(double(slope.data()[i]), derivative, 16 * eps * (1 + std::abs(v)));
    EXPECT_NEAR(double(y_bar.data()[i]), bars[i] * derivative, 32 * eps * (1 + std::abs(bars[i])));
  }
}

TEST(GroupNorm, RefusesOtherShapes) {
  test::Guarded<double> x(12), w(4);
  double statistics[4];
  const View<double, 3> of_one(statistics, 1, 1, 2), of_three(statistics, 1, 3, 2);
  EXPECT_THROW(group_norm<double>(Cpu(1), FieldActivation::identity, x.cview(1, 3, 4), w.cview(4), w.cview(4),
                                  x.view(1, 3, 4), of_three, x.view(0, 0, 0)),
               ArgumentError);
  EXPECT_THROW(group_norm<double>(Cpu(1), FieldActivation::identity, x.cview(1, 3, 4), w.cview(3), w.cview(3),
                                  x.view(1, 3, 4), of_one, x.view(0, 0, 0)),
               ArgumentError);
  EXPECT_THROW(group_norm<double>(Cpu(1), FieldActivation::identity, x.cview(1, 3, 4), w.cview(4), w.cview(0),
                                  x.view(1, 3, 4), of_one, x.view(0, 0, 0)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
