// SPDX-License-Identifier: Apache-2.0
// Gaussians where they are far from a point, against their closed form in double; those of coordinates
// against those of any features, by each instruction set that the processor has; the memory that they take.
#include <algorithm>

#include "kernels/jet/activation_range.hpp"
#include "kernels/network/network_gaussian_range.hpp"
#include "kernels/network/network_tile.hpp"
#include "sobolev/network/network.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
MultiIndex index(int first, int second = 0) {
  MultiIndex a;
  a.order[0] = std::uint8_t(first);
  a.order[1] = std::uint8_t(second);
  return a;
}

template <class B>
class Gaussians : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Gaussians, test::BackEnds, test::BackEndNames);

template <class T>
bool zero_or_normal(T x) {
  return x == 0 || std::isnormal(x);
}

// y = w exp(−½ x²) and its derivatives from x = 0 to where no number is small enough, at an x to which no
// other point has the same tile, so that padding and ends are met too.
TYPED_TEST(Gaussians, AreZeroFarFromAPointAndNeverSubnormal) {
  using T = typename TypeParam::Scalar;
  const MultiIndex needed[] = {index(2)};
  const JetSpec spec = JetSpec::closure(1, needed);
  Network network(1);
  network.output(network.gaussian(0, 1), 1);
  const std::size_t n = 1201, p = network.parameters();
  const double end = sizeof(T) == 4 ? -60 : -600, w = 1e-3, eps = double(std::numeric_limits<T>::epsilon());
  test::Guarded<TypeParam> theta(p), x(3 * n), y(3 * n), seed(3 * n), gradient(p);
  theta[0] = theta[1] = theta[3] = 0;  // μ, log σ, bias
  theta[2] = T(w);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = T(0.05 * double(i));
    x[n + i] = 1;
    x[2 * n + i] = 0;
    for (std::size_t c = 0; c < 3; ++c) seed[c * n + i] = 0;
  }
  const auto& device = test::executor_of<TypeParam>();
  network_forward<T>(device, network, spec, theta.cview(p), x.cview(3, 1, n), y.view(3, 1, n));
  for (std::size_t i = 0; i < n; ++i) {
    const double at = double(x[i]), q = -at * at / 2, value = q < end ? 0 : w * std::exp(q);
    const double want[] = {value, -at * value, (at * at - 1) / 2 * value};
    for (std::size_t c = 0; c < 3; ++c) {
      const T got = y[c * n + i];
      EXPECT_TRUE(zero_or_normal(got)) << "channel " << c << " at " << at << ": " << got;
      // e^q has the rounding of q; near the end the exponent may fall on either side of it.
      const double bound = 8 * eps * (2 - q) * (1 + at * at) * value +
                           (std::abs(q - end) < 8 * eps * -end ? (1 + at * at) * w * std::exp(end) : 0);
      EXPECT_LE(std::abs(double(got) - want[c]), bound) << "channel " << c << " at " << at;
    }
  }
  // One point at a time, with adjoints that are small too.
  for (std::size_t i = 0; i < n; i += 100) {
    const std::size_t one = 1;
    test::Guarded<TypeParam> place(3), seeds(3);
    place[0] = x[i];
    place[1] = 1;
    place[2] = 0;
    for (std::size_t c = 0; c < 3; ++c) seeds[c] = T(1e-4 * double(c + 1));
    network_backward<T>(device, network, spec, theta.cview(p), place.cview(3, 1, one), seeds.cview(3, 1, one),
                        gradient.view(p));
    for (std::size_t k = 0; k < p; ++k) EXPECT_TRUE(zero_or_normal(gradient[k])) << k << ": " << gradient[k];
  }
}

/// The kernels of one instruction set.
template <class T>
struct Kernels {
  const char* name;
  decltype(&target_baseline::network_lanes<T>) lanes;
  decltype(&target_baseline::gaussian_axes<T>) axes;
  decltype(&target_baseline::gaussian_forward_range<T>) forward;
  decltype(&target_baseline::gaussian_gradient_range<T>) gradient;
  decltype(&target_baseline::gaussian_rows_range<T>) rows;
  decltype(&target_baseline::gaussian_sum_forward_range<T>) sum_forward;
  decltype(&target_baseline::gaussian_sum_gradient_range<T>) sum_gradient;
  decltype(&target_baseline::activation_backward_range<T>) activation;
};
template <class T>
std::vector<Kernels<T>> all_kernels() {
  std::vector<Kernels<T>> all;
#define SOBOLEV_KERNELS(of)                                                                       \
  if (simd_target() >= SimdTarget::of)                                                            \
  all.push_back({#of, target_##of::network_lanes<T>, target_##of::gaussian_axes<T>,               \
                 target_##of::gaussian_forward_range<T>, target_##of::gaussian_gradient_range<T>, \
                 target_##of::gaussian_rows_range<T>, target_##of::gaussian_sum_forward_range<T>, \
                 target_##of::gaussian_sum_gradient_range<T>, target_##of::activation_backward_range<T>})
  SOBOLEV_KERNELS(baseline);
#if defined(__x86_64__)
  SOBOLEV_KERNELS(avx2);
  SOBOLEV_KERNELS(avx512);
#endif
#undef SOBOLEV_KERNELS
  return all;
}

struct Algebra {
  const char* name;
  std::vector<MultiIndex> needed;
  std::vector<JetTerm> collapsed;
  std::vector<int> coordinates;  // of each input
};
MultiIndex unit(int d, int order = 1) {
  MultiIndex a;
  a.order[std::size_t(d)] = std::uint8_t(order);
  return a;
}
std::vector<Algebra> algebras() {
  return {{"value", {}, {}, {1, 0}},
          {"gradient", {unit(0), unit(1)}, {}, {1, 0}},
          {"one derivative of two", {unit(1)}, {}, {0, 1}},
          {"second", {unit(0, 2)}, {}, {0}},
          {"heat", {unit(0), unit(1, 2)}, {}, {0, 1}},
          {"heat, collapsed", {unit(0), unit(1, 2)}, {{unit(0), 1}, {unit(1, 2), -0.3}}, {1, 0}},
          {"Laplacian", {unit(0, 2), unit(1, 2)}, {{unit(0, 2), 1}, {unit(1, 2), 2}}, {1, 0}},
          {"heat in the plane",
           {unit(0), unit(1, 2), unit(2, 2)},
           {{unit(0), 1}, {unit(1, 2), -0.5}, {unit(2, 2), -0.2}},
           {2, 0, 1}},
          {"mixed", {index(1, 1)}, {}, {0, 1}},
          {"Hessian's diagonal", {unit(0, 2), unit(1, 2)}, {}, {1, 0}},
          {"Laplacian in space",
           {unit(0, 2), unit(1, 2), unit(2, 2)},
           {{unit(0, 2), 1}, {unit(1, 2), 1}, {unit(2, 2), 1}},
           {2, 1, 0}}};
}

template <class T>
class GaussiansOfCoordinates : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(GaussiansOfCoordinates, Scalars);

// Everything that the panel's kernels give: y, ∂/∂μ and ∂/∂log σ, the same as rows; of weighted sums the
// outputs and the gradient, which without `coordinates` are made of the others.
template <class T>
std::vector<T> results(const Kernels<T>& run, const JetSpec& spec, detail::GaussianPanel<T> g,
                       bool coordinates) {
  const detail::JetTable<T> table(spec);
  const detail::JetTableView<T> jet = table.view();
  const std::size_t k = std::size_t(spec.channels()), points = std::size_t(g.points),
                    width = std::size_t(g.width), inputs = std::size_t(g.inputs), panel = k * points * width,
                    each = inputs * width;
  const int panels = 2;
  test::Guarded<T> w(2 * width, 8), seed(k * points, 9), bar(panel, 10);
  std::vector<T> all;
  const auto keep = [&](std::vector<T> v) { all.insert(all.end(), v.begin(), v.end()); };
  EXPECT_TRUE(g.axes.coordinates);
  g.axes.coordinates = coordinates;
  std::vector<T> y(panels * panel), centre(panels * each), spread(centre.size());
  const auto of_panel = [&](std::size_t q) {
    detail::GaussianPanel<T> one = g;
    one.centre += q * each;
    one.sharpness += q * each;
    return one;
  };
  for (std::size_t q = 0; q < panels; ++q) run.forward(jet, of_panel(q), y.data() + q * panel);
  keep(y);
  run.gradient(jet, g, bar.data(), centre.data(), spread.data(), nullptr);
  keep(centre);
  keep(spread);
  // Rows of 12 points, each with a copy.
  const std::size_t stride = 2 * each + 3;
  std::vector<T> rows(12 * stride), scale(12, T(0.5));
  run.rows(
      jet, g, bar.data(),
      {12, 2, int(points / 2), scale.data(), g.width - 1, stride, width, rows.data(), rows.data() + each});
  keep(rows);

  std::vector<T> out(k * points), w_bar(panels * width);
  std::fill(centre.begin(), centre.end(), T(0));
  std::fill(spread.begin(), spread.end(), T(0));
  if (coordinates) {
    std::fill(y.begin(), y.end(), T(0));
    run.sum_forward(jet, g, panels, w.data(), T(0.25), y.data(), out.data());
    run.sum_gradient(jet, g, panels, w.data(), y.data(), seed.data(), w_bar.data(), centre.data(),
                     spread.data());
  } else {
    for (std::size_t q = 0; q < panels; ++q) {
      std::vector<T> y_bar(panel);
      for (std::size_t r = 0; r < k * points; ++r)
        for (std::size_t i = 0; i < width; ++i) {
          const T value = y[q * panel + r * width + i];
          out[r] += w[q * width + i] * value;
          w_bar[q * width + i] += seed[r] * value;
          y_bar[r * width + i] = w[q * width + i] * seed[r];
        }
      run.activation(Activation::exponential, jet, y.data() + q * panel, y.data() + q * panel, y_bar.data(),
                     y_bar.data(), points * width, points * width);
      run.gradient(jet, of_panel(q), y_bar.data(), centre.data() + q * each, spread.data() + q * each,
                   nullptr);
    }
    for (std::size_t p = 0; p < points; ++p) out[p] += T(0.25);
  }
  keep(out);
  keep(w_bar);
  keep(centre);
  keep(spread);
  return all;
}

TYPED_TEST(GaussiansOfCoordinates, AgreeWithThoseOfAnyFeatures) {
  using T = TypeParam;
  for (const Kernels<T>& run : all_kernels<T>())
    for (const Algebra& a : algebras()) {
      SCOPED_TRACE(std::string(run.name) + ", " + a.name);
      JetSpec spec = JetSpec::closure(3, a.needed);
      if (!a.collapsed.empty()) spec = spec.collapse(a.collapsed);
      const std::size_t k = std::size_t(spec.channels()), points = 48, inputs = a.coordinates.size(),
                        width = 2 * std::size_t(run.lanes()), rows = k * points;
      test::Guarded<T> x(rows * width, 1, 0.7), centre(2 * inputs * width, 2, 0.7),
          sharpness(2 * inputs * width, 3);
      for (std::size_t i = 0; i < sharpness.size(); ++i) sharpness[i] = T(std::exp(0.5 * sharpness[i]));
      for (std::size_t f = 0; f < inputs; ++f)
        for (std::size_t c = 1; c < k; ++c)
          for (std::size_t p = 0; p < points; ++p) {
            double derivative = 0;
            for (const JetTerm& term : spec.terms(int(c)))
              if (term.alpha == unit(a.coordinates[f])) derivative += term.coefficient;
            // Mirrored copies are among a tile's points.
            x[(c * points + p) * width + f] = T((p < points / 2 ? 0.8 : -0.8) * derivative);
          }
      const auto axes = [&] {
        return run.axes(detail::JetTable<T>(spec).view(), x.data(), rows * width, int(width), int(inputs),
                        int(points));
      };
      const detail::GaussianPanel<T> panel{x.data(),    rows * width,  int(width),       int(inputs),
                                           int(points), centre.data(), sharpness.data(), axes()};
      const std::vector<T> got = results<T>(run, spec, panel, true),
                           want = results<T>(run, spec, panel, false);
      T largest = 1;
      for (T v : want) largest = std::max(largest, std::abs(v));
      for (std::size_t i = 0; i < want.size(); ++i)
        ASSERT_NEAR(got[i], want[i], 16 * std::numeric_limits<T>::epsilon() * largest) << i;
      // A derivative too many at one point.
      if (k == 1) continue;
      for (std::size_t c = 1; c < k; ++c) x[(c * points + 5) * width] = T(0.25);
      EXPECT_FALSE(axes().coordinates);
    }
}

// 10^6 points and 4,000 Gaussians would be 32 GB in float64 for each channel.
TYPED_TEST(Gaussians, TakeNoMemoryByPointsTimesGaussians) {
  using T = typename TypeParam::Scalar;
  const MultiIndex needed[] = {index(2), index(0, 2)};
  const JetSpec spec = JetSpec::closure(2, needed);
  Network network(2);
  network.output(network.gaussian(0, 4000), 1);
  const auto bytes = [&](std::size_t points) {
    return PlannedNetwork<T, typename TypeParam::Executor>(test::executor_of<TypeParam>(), network, spec,
                                                           points)
        .scratch_bytes();
  };
  const std::size_t few = bytes(100000), many = bytes(1000000);
  EXPECT_EQ(many, few);
  EXPECT_LT(many, std::size_t(1) << 30);
}

}  // namespace
}  // namespace sobolev
