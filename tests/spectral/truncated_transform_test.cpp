// SPDX-License-Identifier: Apache-2.0
#include "sobolev/spectral/truncated_transform.hpp"

#include <complex>
#include <numbers>

#include "tests/spectral/fourier_sums.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class TruncatedTransforms : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(TruncatedTransforms, test::BackEnds, test::BackEndNames);

struct Case {
  std::vector<std::size_t> grid;
  std::vector<ModeRange> modes;
  std::size_t batch, channels;
};
std::vector<Case> cases() {
  if (test::in_another_order()) return {{{6, 9}, {{-2, 1}, {0, 3}}, 2, 3}};
  return {{{1}, {{0, 0}}, 1, 1},
          {{2}, {{0, 1}}, 1, 2},
          {{3}, {{0, 1}}, 3, 1},
          {{4}, {{0, 2}}, 1, 5},
          {{64}, {{0, 11}}, 2, 33},
          {{61}, {{0, 12}}, 3, 17},
          {{66}, {{2, 33}}, 1, 3},
          {{257}, {{0, 15}}, 1, 20},
          {{300}, {{0, 20}}, 1, 16},
          {{16}, {{0, 11}}, 1, 4},  // more modes than the grid resolves
          {{1, 1}, {{-1, 1}, {0, 2}}, 1, 2},
          {{8, 8}, {{-4, 3}, {0, 4}}, 2, 3},  // all that there are
          {{12, 10}, {{-4, 3}, {0, 3}}, 3, 33},
          {{7, 13}, {{-3, 3}, {0, 6}}, 1, 16},
          {{5, 6}, {{-6, 5}, {0, 5}}, 2, 2},
          {{31, 18}, {{1, 4}, {3, 5}}, 1, 7},
          {{6, 5, 8}, {{-2, 1}, {-2, 2}, {0, 2}}, 2, 5},
          {{4, 9, 7}, {{-3, 2}, {-1, 0}, {0, 3}}, 1, 17}};
}

TYPED_TEST(TruncatedTransforms, AgreeWithTheirDefinition) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  for (const Case& c : cases()) {
    TruncatedTransform<T, E> transform(test::executor_of<TypeParam>(), c.grid, c.modes);
    const std::size_t n = transform.points(), m = transform.mode_count();
    SCOPED_TRACE(test::describe(c.grid, c.modes));
    double growth = 0;
    for (std::size_t a = 0; a < c.grid.size(); ++a)
      growth += 4 * double(std::max(c.grid[a], c.modes[a].count()));
    const double eps = double(std::numeric_limits<T>::epsilon());
    test::Guarded<TypeParam> x(c.batch * n * c.channels, 1), v(c.batch * m * 2 * c.channels, 2);
    transform.analyse(x.cview(c.batch, n, c.channels), v.view(c.batch, m, 2, c.channels));
    for (std::size_t b = 0; b < c.batch; ++b)
      for (std::size_t ch = 0; ch<c.channels; ch += c.channels> 8 ? 5 : 1) {
        const auto want = test::fourier_sum(c.grid, c.modes, x.data() + b * n * c.channels + ch, c.channels);
        double mean = 0;
        for (std::size_t i = 0; i < n; ++i)
          mean += std::abs(double(x[(b * n + i) * c.channels + ch])) / double(n);
        for (std::size_t k = 0; k < m; ++k)
          for (std::size_t part = 0; part < 2; ++part)
            ASSERT_NEAR(double(v[((b * m + k) * 2 + part) * c.channels + ch]),
                        part == 0 ? want[k].real() : want[k].imag(), growth * eps * mean)
                << "mode " << k << " channel " << ch;
      }
  }
}

TYPED_TEST(TruncatedTransforms, MakeFieldsOfCoefficients) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  for (const Case& c : cases()) {
    TruncatedTransform<T, E> transform(test::executor_of<TypeParam>(), c.grid, c.modes);
    const std::size_t n = transform.points(), m = transform.mode_count();
    SCOPED_TRACE(test::describe(c.grid, c.modes));
    double growth = 0;
    for (std::size_t a = 0; a < c.grid.size(); ++a)
      growth += 4 * double(std::max(c.grid[a], c.modes[a].count()));
    const double eps = double(std::numeric_limits<T>::epsilon());
    for (const bool add : {false, true}) {
      test::Guarded<TypeParam> x(c.batch * n * c.channels, 1), v(c.batch * m * 2 * c.channels, 2);
      const std::vector<T> before(x.data(), x.data() + x.size());
      if (!add) std::fill_n(x.data(), x.size(), std::numeric_limits<T>::quiet_NaN());
      transform.synthesise(v.cview(c.batch, m, 2, c.channels), x.view(c.batch, n, c.channels), add);
      for (std::size_t b = 0; b < c.batch; ++b)
        for (std::size_t ch = 0; ch<c.channels; ch += c.channels> 8 ? 5 : 1) {
          std::vector<std::complex<double>> modes(m);
          for (std::size_t k = 0; k < m; ++k) {
            const std::size_t at = (b * m + k) * 2 * c.channels + ch;
            modes[k] = {double(v[at]), double(v[at + c.channels])};
          }
          double size = 0;
          const auto want = test::inverse_fourier_sum(c.grid, c.modes, modes, &size);
          for (std::size_t i = 0; i < n; ++i) {
            const std::size_t at = (b * n + i) * c.channels + ch;
            ASSERT_NEAR(double(x[at]), want[i] + (add ? double(before[at]) : 0),
                        growth * eps * (size + (add ? 1 : 0)))
                << "point " << i << " channel " << ch;
          }
        }
    }
  }
}

/// ⟨A x, v̄⟩ = ⟨x, Aᵀ v̄⟩ and the same for the synthesis.
TYPED_TEST(TruncatedTransforms, HaveTheirTransposes) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  for (const Case& c : cases()) {
    TruncatedTransform<T, E> transform(test::executor_of<TypeParam>(), c.grid, c.modes);
    const std::size_t n = transform.points(), m = transform.mode_count(), b = c.batch, ch = c.channels;
    SCOPED_TRACE(test::describe(c.grid, c.modes));
    test::Guarded<TypeParam> x(b * n * ch, 1), v_bar(b * m * 2 * ch, 2), v(b * m * 2 * ch), x_bar(b * n * ch);
    const auto dot = [](auto& p, auto& q, double& size) {
      double sum = 0;
      for (std::size_t i = 0; i < p.size(); ++i) {
        sum += double(p[i]) * double(q[i]);
        size += std::abs(double(p[i]) * double(q[i]));
      }
      return sum;
    };
    const double eps = double(std::numeric_limits<T>::epsilon());
    double size = 0;
    transform.analyse(x.cview(b, n, ch), v.view(b, m, 2, ch));
    transform.analyse_adjoint(v_bar.cview(b, m, 2, ch), x_bar.view(b, n, ch));
    const double forward = dot(v, v_bar, size), backward = dot(x, x_bar, size);
    EXPECT_NEAR(forward, backward, 30 * eps * size);
    transform.synthesise(v_bar.cview(b, m, 2, ch), x_bar.view(b, n, ch));
    transform.synthesise_adjoint(x.cview(b, n, ch), v.view(b, m, 2, ch));
    size = 0;
    const double up = dot(x_bar, x, size), down = dot(v, v_bar, size);
    EXPECT_NEAR(up, down, 30 * eps * size);
  }
}

template <class T>
class TruncatedTransformThreads : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(TruncatedTransformThreads, Scalars);

TYPED_TEST(TruncatedTransformThreads, GiveTheSameBitsWhateverTheirNumber) {
  using T = TypeParam;
  const std::size_t n = 24 * 35, channels = 19;
  for (const std::size_t batch : {1, 5}) {
    std::vector<std::vector<T>> results;
    for (const int threads : {1, 2, 3}) {
      TruncatedTransform<T> transform(Cpu(threads), {24, 35}, lowest_modes({5, 6}));
      const std::size_t m = transform.mode_count();
      test::Guarded<T> x(batch * n * channels, 1), v(batch * m * 2 * channels);
      transform.analyse(x.cview(batch, n, channels), v.view(batch, m, 2, channels));
      transform.synthesise(v.cview(batch, m, 2, channels), x.view(batch, n, channels), true);
      results.emplace_back(x.data(), x.data() + x.size());
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
  }
}

TEST(TruncatedTransform, RefusesWhatDoesNotFit) {
  const Cpu cpu(1);
  EXPECT_THROW(TruncatedTransform<double>(cpu, {}, {}), ArgumentError);
  EXPECT_THROW(TruncatedTransform<double>(cpu, {4, 4, 4, 4}, lowest_modes({1, 1, 1, 1})), ArgumentError);
  EXPECT_THROW(TruncatedTransform<double>(cpu, {4, 4}, lowest_modes({1})), ArgumentError);
  EXPECT_THROW(TruncatedTransform<double>(cpu, {0}, lowest_modes({1})), ArgumentError);
  EXPECT_THROW(TruncatedTransform<double>(cpu, {8}, {{-1, 2}}), ArgumentError);
  EXPECT_THROW(TruncatedTransform<double>(cpu, {8, 8}, {{3, 2}, {0, 1}}), ArgumentError);
  EXPECT_THROW(lowest_modes({0}), ArgumentError);
  TruncatedTransform<double> transform(cpu, {8}, lowest_modes({3}));
  test::Guarded<double> x(8 * 2), v(3 * 2 * 2);
  EXPECT_THROW(transform.analyse(x.cview(1, 8, 2), v.view(1, 2, 2, 3)), ArgumentError);
  EXPECT_THROW(transform.analyse(x.cview(2, 4, 2), v.view(2, 3, 2, 1)), ArgumentError);
  transform.analyse(x.cview(0, 8, 2), v.view(0, 3, 2, 2));
}
}  // namespace
}  // namespace sobolev
