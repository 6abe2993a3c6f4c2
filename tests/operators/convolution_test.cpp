// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/convolution.hpp"

#include <numeric>

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class ConvolutionOf : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(ConvolutionOf, test::BackEnds, test::BackEndNames);

using Grid = std::vector<std::size_t>;
struct Case {
  Grid grid;
  ConvolutionOptions options;
  std::size_t batch, inputs, outputs;
  Grid output_grid;
};

std::size_t product(const Grid& grid) {
  return std::accumulate(grid.begin(), grid.end(), std::size_t(1), std::multiplies<>());
}

/// The point that stands for i beyond the ends, by walking; −1 for a zero.
long continued(long i, long n, Boundary boundary) {
  while (i < 0 || i >= n) {
    if (boundary == Boundary::zero) return -1;
    if (boundary == Boundary::periodic) i += i < 0 ? n : -n;
    if (boundary == Boundary::replicate) i = i < 0 ? 0 : n - 1;
    if (boundary == Boundary::reflect) i = n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
  }
  return i;
}

/// Calls f(output point, input point, tap) for all terms of the definition.
template <class F>
void for_terms(const Case& c, const Grid& out, const F& f) {
  const auto w = long(c.options.width), s = long(c.options.stride), p = long(c.options.padding);
  std::vector<std::array<std::size_t, 3>> terms{{0, 0, 0}};
  for (std::size_t a = 0; a < c.grid.size(); ++a) {
    std::vector<std::array<std::size_t, 3>> longer;
    for (const auto& [q0, i0, k0] : terms)
      for (long q = 0; q < long(out[a]); ++q)
        for (long k = 0; k < w; ++k)
          // All i that could be meant, also beyond the ends.
          for (long i = -w - s; i < long(c.grid[a]) + w + s; ++i) {
            if (c.options.transposed ? s * i + k - p != q : s * q + k - p != i) continue;
            const long point = continued(i, long(c.grid[a]), c.options.boundary);
            if (point >= 0)
              longer.push_back({q0 * out[a] + std::size_t(q), i0 * c.grid[a] + std::size_t(point),
                                k0 * std::size_t(w) + std::size_t(k)});
          }
    terms = std::move(longer);
  }
  for (const auto& [q, i, k] : terms) f(q, i, k);
}

std::vector<Case> cases(bool few) {
  std::vector<Case> all;
  const ConvolutionOptions same{}, down{3, 2, 1}, up{4, 2, 1, Boundary::zero, true},
      up3{3, 2, 1, Boundary::zero, true}, point{1, 1, 0}, wide{5, 3, 2}, gap{2, 3, 0}, half{2, 2, 0},
      doubled{2, 2, 0, Boundary::zero, true};
  for (const Boundary boundary :
       {Boundary::zero, Boundary::periodic, Boundary::reflect, Boundary::replicate}) {
    const auto with = [&](ConvolutionOptions o) {
      o.boundary = boundary;
      return o;
    };
    all.push_back({{5, 6}, with(same), 2, 3, 5, {}});
    all.push_back({{7, 8}, with(down), 1, 2, 3, {}});
    all.push_back({{4, 5}, with(up), 1, 3, 2, {}});
    if (few) continue;
    all.push_back({{4, 5}, with(up3), 1, 3, 2, {8, 9}});
    all.push_back({{17, 37}, with(same), 1, 20, 24, {}});
    all.push_back({{9, 50}, with(down), 1, 17, 7, {}});
    all.push_back({{6, 21}, with(up), 1, 9, 18, {12, 41}});
    all.push_back({{3, 4, 5}, with(same), 1, 2, 3, {}});
    all.push_back({{4, 5, 6}, with(down), 1, 3, 1, {}});
    all.push_back({{2, 3, 2}, with(up), 1, 1, 4, {}});
    all.push_back({{14}, with(wide), 3, 4, 6, {}});
    all.push_back({{23}, with(gap), 1, 2, 2, {}});
    all.push_back({{700}, with(same), 1, 3, 2, {}});
    all.push_back({{300}, with(up), 1, 2, 3, {}});
    all.push_back({{1}, with(same), 2, 2, 2, {}});
    all.push_back({{1, 2}, with(same), 1, 1, 1, {}});
  }
  if (!few) {
    all.push_back({{6, 5}, point, 2, 33, 19, {}});
    all.push_back({{8, 6}, half, 1, 4, 5, {}});
    all.push_back({{4, 3}, doubled, 1, 4, 5, {}});
  }
  return all;
}

TYPED_TEST(ConvolutionOf, IsItsSumAndHasItsAdjoint) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  const double eps = double(std::numeric_limits<T>::epsilon());
  for (const Case& c : cases(test::in_another_order())) {
    SCOPED_TRACE(testing::Message() << "grid " << testing::PrintToString(c.grid) << " taps "
                                    << c.options.width << " stride " << c.options.stride << " boundary "
                                    << boundaries[std::size_t(c.options.boundary)] << " transposed "
                                    << c.options.transposed << " channels " << c.inputs << " " << c.outputs);
    const auto& executor = test::executor_of<TypeParam>();
    Convolution<T, E> plan(executor, c.grid, c.options, c.inputs, c.outputs, c.output_grid);
    const Grid& out = plan.output_grid();
    const std::size_t n = product(c.grid), m = product(out), w = plan.weights(), b = c.batch;
    test::Guarded<TypeParam> x(b * n * c.inputs, 1), weight(w, 2), bias(c.outputs, 3),
        y(b * m * c.outputs, 4), y_bar(b * m * c.outputs, 5), x_bar(b * n * c.inputs, 6), w_bar(w, 7),
        b_bar(c.outputs, 8), none(0);
    const auto copy_of = [](auto& from) {
      return std::vector<double>(from.data(), from.data() + from.size());
    };
    const std::vector<double> added = copy_of(y), xs = copy_of(x), ws = copy_of(weight), bs = copy_of(bias),
                              bars = copy_of(y_bar), x_before = copy_of(x_bar), w_before = copy_of(w_bar),
                              b_before = copy_of(b_bar);
    // In place: y is the memory of what is added.
    plan.forward(FieldActivation::identity, x.cview(b, n, c.inputs), weight.cview(w), bias.cview(c.outputs),
                 y.cview(b, m, c.outputs), y.view(b, m, c.outputs), none.view(0, 0, 0));
    plan.adjoint(x.cview(b, n, c.inputs), weight.cview(w), none.cview(0, 0, 0), y_bar.view(b, m, c.outputs),
                 x_bar.view(b, n, c.inputs), true, w_bar.view(w), b_bar.view(c.outputs));
    std::vector<double> want(added), want_x(x_before), want_w(w_before), want_b(b_before);
    std::vector<double> all(added), all_x(x_before), all_w(w_before), all_b(b_before);
    for (auto* sizes : {&all, &all_x, &all_w, &all_b})
      for (double& v : *sizes) v = std::abs(v);
    for (std::size_t s = 0; s < b; ++s) {
      for (std::size_t q = 0; q < m; ++q)
        for (std::size_t o = 0; o < c.outputs; ++o) {
          const std::size_t at = (s * m + q) * c.outputs + o;
          want[at] += bs[o];
          all[at] += std::abs(bs[o]);
          want_b[o] += bars[at];
          all_b[o] += std::abs(bars[at]);
        }
      for_terms(c, out, [&](std::size_t q, std::size_t i, std::size_t k) {
        for (std::size_t d = 0; d < c.inputs; ++d)
          for (std::size_t o = 0; o < c.outputs; ++o) {
            const std::size_t wi = (k * c.inputs + d) * c.outputs + o, xi = (s * n + i) * c.inputs + d,
                              yi = (s * m + q) * c.outputs + o;
            const auto add = [](std::vector<double>& sum, std::vector<double>& size, std::size_t at,
                                double v) {
              sum[at] += v;
              size[at] += std::abs(v);
            };
            add(want, all, yi, ws[wi] * xs[xi]);
            add(want_x, all_x, xi, ws[wi] * bars[yi]);
            add(want_w, all_w, wi, xs[xi] * bars[yi]);
          }
      });
    }
    const auto compare = [&](auto& got, const std::vector<double>& wanted, const std::vector<double>& sizes,
                             const char* what) {
      for (std::size_t i = 0; i < wanted.size(); ++i)
        ASSERT_NEAR(double(got.data()[i]), wanted[i], 8 * eps * sizes[i] * std::sqrt(double(m))) << what << i;
    };
    compare(y, want, all, "y ");
    compare(x_bar, want_x, all_x, "x_bar ");
    compare(w_bar, want_w, all_w, "W_bar ");
    compare(b_bar, want_b, all_b, "b_bar ");
  }
}

TYPED_TEST(ConvolutionOf, HasTheActivationAndItsSlope) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  const double eps = double(std::numeric_limits<T>::epsilon());
  const auto& executor = test::executor_of<TypeParam>();
  for (const std::size_t outputs : {3u, 20u}) {
    const std::size_t n = 6 * 7, c = 2;
    Convolution<T, E> plan(executor, {6, 7}, {}, c, outputs);
    test::Guarded<TypeParam> x(n * c, 1), w(plan.weights(), 2), y(n * outputs), z(n * outputs),
        slope(n * outputs), none(0), y_bar(n * outputs, 3), x_bar(n * c), w_bar(plan.weights());
    plan.forward(FieldActivation::gelu, x.cview(1, n, c), w.cview(plan.weights()), none.cview(0),
                 none.cview(0, 0, 0), y.view(1, n, outputs), slope.view(1, n, outputs));
    plan.forward(FieldActivation::identity, x.cview(1, n, c), w.cview(plan.weights()), none.cview(0),
                 none.cview(0, 0, 0), z.view(1, n, outputs), none.view(0, 0, 0));
    const std::vector<double> before(y_bar.data(), y_bar.data() + n * outputs);
    plan.adjoint(x.cview(1, n, c), w.cview(plan.weights()), slope.cview(1, n, outputs),
                 y_bar.view(1, n, outputs), x_bar.view(0, 0, 0), false, w_bar.view(plan.weights()),
                 none.view(0));
    for (std::size_t i = 0; i < n * outputs; ++i) {
      const double v = double(z.data()[i]), phi = 0.5 * std::erfc(-v / std::sqrt(2.0)),
                   density = std::exp(-v * v / 2) / std::sqrt(2 * M_PI);
      ASSERT_NEAR(double(y.data()[i]), v * phi, 16 * eps * (1 + std::abs(v)));
      ASSERT_NEAR(double(slope.data()[i]), phi + v * density, 16 * eps * (1 + std::abs(v)));
      ASSERT_NEAR(double(y_bar.data()[i]), before[i] * (phi + v * density),
                  32 * eps * (1 + std::abs(v)) * (1 + std::abs(before[i])));
    }
  }
}

TYPED_TEST(ConvolutionOf, HasTheSameBitsForAnyThreads) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  if constexpr (std::is_same_v<E, Cpu>) {
    const std::size_t n = 40 * 37, c = 6, batch = 3;
    std::vector<T> outcomes[2];
    for (const int threads : {1, 4}) {
      Convolution<T, E> plan(Cpu(threads), {40, 37}, {}, c, c);
      test::Guarded<TypeParam> x(batch * n * c, 1), w(plan.weights(), 2), y(batch * n * c), none(0),
          y_bar(batch * n * c, 3), x_bar(batch * n * c), w_bar(plan.weights(), 4);
      plan.forward(FieldActivation::identity, x.cview(batch, n, c), w.cview(plan.weights()), none.cview(0),
                   none.cview(0, 0, 0), y.view(batch, n, c), none.view(0, 0, 0));
      plan.adjoint(x.cview(batch, n, c), w.cview(plan.weights()), none.cview(0, 0, 0),
                   y_bar.view(batch, n, c), x_bar.view(batch, n, c), false, w_bar.view(plan.weights()),
                   none.view(0));
      auto& out = outcomes[threads == 1 ? 0 : 1];
      for (auto* of : {&y, &x_bar, &w_bar}) out.insert(out.end(), of->data(), of->data() + of->size());
    }
    EXPECT_EQ(outcomes[0], outcomes[1]);
  }
}

TEST(ConvolutionOptions, ArePublishedOnesAndSaidWhereImpossible) {
  EXPECT_EQ(convolved_points(211, {3, 2, 1}), 106u);
  EXPECT_EQ(convolved_points(14, {3, 2, 1, Boundary::zero, true}), 27u);
  EXPECT_EQ(convolved_points(7, {4, 2, 1, Boundary::zero, true}), 14u);
  EXPECT_THROW(convolved_points(2, {5, 1, 0}), ArgumentError);
  EXPECT_THROW(convolved_points(8, {9, 1, 1}), ArgumentError);
  EXPECT_THROW(convolved_points(8, {3, 1, 3}), ArgumentError);
  using Plan = Convolution<double>;
  EXPECT_THROW(Plan(Cpu(1), {8, 8}, {}, 2, 2, {8, 7}), ArgumentError);
  EXPECT_THROW(Plan(Cpu(1), {8, 8}, {}, 0, 2), ArgumentError);
  EXPECT_THROW(Plan(Cpu(1), {}, {}, 1, 2), ArgumentError);
  EXPECT_THROW(Plan(Cpu(1), {8, 8}, {4, 2, 1, Boundary::zero, true}, 2, 2, {14, 16}), ArgumentError);
  Plan plan(Cpu(1), {4, 4}, {}, 2, 3);
  test::Guarded<double> x(32), w(54), y(48);
  EXPECT_THROW(plan.forward(FieldActivation::identity, x.cview(1, 16, 2), w.cview(53), w.cview(0),
                            y.cview(0, 0, 0), y.view(1, 16, 3), y.view(0, 0, 0)),
               ArgumentError);
  EXPECT_THROW(plan.forward(FieldActivation::identity, x.cview(2, 8, 2), w.cview(54), w.cview(0),
                            y.cview(0, 0, 0), y.view(1, 16, 3), y.view(0, 0, 0)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
