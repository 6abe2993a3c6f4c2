// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/relative_h1.hpp"

#include <complex>
#include <numbers>

#include "sobolev/core/buffer_on.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class RelativeH1Test : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(RelativeH1Test, test::BackEnds, test::BackEndNames);

/// Point i of axis a of the grid: where a field [N, C] has it.
struct Grid {
  std::vector<std::size_t> n;
  std::size_t points() const {
    std::size_t all = 1;
    for (std::size_t g : n) all *= g;
    return all;
  }
  std::size_t step(std::size_t a) const {
    std::size_t s = 1;
    for (std::size_t i = a + 1; i < n.size(); ++i) s *= n[i];
    return s;
  }
};

/// ‖f‖² of one channel by its definition.
double difference_squares(const std::vector<double>& f, const Grid& grid, bool periodic) {
  double sum = 0;
  for (std::size_t p = 0; p < f.size(); ++p) {
    sum += f[p] * f[p];
    for (std::size_t a = 0; a < grid.n.size(); ++a) {
      const std::size_t n = grid.n[a], s = grid.step(a), i = p / s % n, zero = p - i * s;
      if (n == 1) continue;
      double slope = 0;
      if (periodic)
        slope = (f[zero + (i + 1) % n * s] - f[zero + (i + n - 1) % n * s]) * double(n) / 2;
      else if (i == 0)
        slope = (f[p + s] - f[p]) * double(n - 1);
      else if (i == n - 1)
        slope = (f[p] - f[p - s]) * double(n - 1);
      else
        slope = (f[p + s] - f[p - s]) * double(n - 1) / 2;
      sum += slope * slope;
    }
  }
  return sum;
}

/// By the transform of all axes, for whole numbers k from −n/2 on.
double fourier_squares(const std::vector<double>& f, const Grid& grid, int frequencies) {
  const std::size_t all = f.size();
  double sum = 0;
  for (std::size_t m = 0; m < all; ++m) {
    std::complex<double> value = 0;
    double weight = 1;
    for (std::size_t a = 0; a < grid.n.size(); ++a) {
      long k = long(m / grid.step(a) % grid.n[a]);
      if (2 * k > long(grid.n[a])) k -= long(grid.n[a]);
      if (std::abs(k) < frequencies) weight += double(k * k);
    }
    for (std::size_t p = 0; p < all; ++p) {
      double phase = 0;
      for (std::size_t a = 0; a < grid.n.size(); ++a)
        phase +=
            double(m / grid.step(a) % grid.n[a]) * double(p / grid.step(a) % grid.n[a]) / double(grid.n[a]);
      value += std::polar(f[p] / double(all), -2 * std::numbers::pi * phase);
    }
    sum += double(all) * weight * std::norm(value);
  }
  return sum;
}

struct Case {
  H1Options options;
  Grid grid;
  std::size_t batch, channels;
  bool scaled;
};

double squares_of(const Case& c, const std::vector<double>& field) {
  double sum = 0;
  for (std::size_t channel = 0; channel < c.channels; ++channel) {
    std::vector<double> one;
    for (std::size_t p = 0; p < c.grid.points(); ++p) one.push_back(field[p * c.channels + channel]);
    sum += c.options.norm == H1Norm::differences ? difference_squares(one, c.grid, c.options.periodic)
                                                 : fourier_squares(one, c.grid, c.options.frequencies);
  }
  return sum;
}

TYPED_TEST(RelativeH1Test, IsTheMeanOfTheSamplesAndHasItsGradient) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  const E& executor = test::executor_of<TypeParam>();
  const H1Options periodic{}, walls{H1Norm::differences, false}, fourier{H1Norm::fourier},
      few{H1Norm::fourier, true, 3};
  const std::vector<Case> cases{
      {periodic, {{9}}, 3, 2, true}, {walls, {{9}}, 3, 2, false},      {periodic, {{4, 7}}, 2, 1, true},
      {walls, {{5, 6}}, 2, 3, true}, {walls, {{3, 2, 5}}, 1, 2, true}, {periodic, {{2, 3, 1}}, 2, 1, false},
      {walls, {{1}}, 1, 1, false},   {walls, {{33}}, 1, 1, true},      {fourier, {{10}}, 2, 2, true},
      {few, {{9}}, 3, 1, false},     {few, {{5, 8}}, 2, 2, true},      {fourier, {{3, 4, 2}}, 1, 1, true},
      {few, {{1, 7}}, 2, 1, true},
  };
  const double eps = double(std::numeric_limits<T>::epsilon());
  for (const Case& c : cases) {
    if (test::in_another_order() && c.grid.points() > 28) continue;
    const std::size_t size = c.grid.points() * c.channels;
    test::Guarded<TypeParam> y(c.batch * size, 1), target(c.batch * size, 2), scale(c.channels, 3),
        offset(c.channels, 4), y_bar(c.batch * size);
    if (c.batch > 2) std::fill_n(target.data() + size, size, T(0));  // a target of 0
    RelativeH1<T, E> measure(executor, c.grid.n, c.channels, c.batch + 1, c.options);
    auto errors = zeros<double>(executor, c.batch), loss = zeros<double>(executor, 1);
    measure(y.cview(c.batch, c.grid.points(), c.channels), scale.cview(c.scaled ? c.channels : 0),
            offset.cview(c.scaled ? c.channels : 0), target.cview(c.batch, c.grid.points(), c.channels),
            View<double, 1>(errors.data(), c.batch), View<double, 1>(loss.data(), 1),
            y_bar.view(c.batch, c.grid.points(), c.channels));
    std::vector<double> got(c.batch);
    double mean = 0, total = 0;
    download<double, 1>(executor, View<const double, 1>(errors.data(), c.batch),
                        View<double, 1>(got.data(), c.batch));
    download<double, 1>(executor, View<const double, 1>(loss.data(), 1), View<double, 1>(&mean, 1));
    for (std::size_t b = 0; b < c.batch; ++b) {
      std::vector<double> wanted, value;
      for (std::size_t i = b * size; i < (b + 1) * size; ++i) {
        wanted.push_back(double(target.data()[i]));
        value.push_back(double(y.data()[i]));
      }
      const double norm = squares_of(c, wanted) > 0 ? std::sqrt(squares_of(c, wanted)) : 1;
      const auto error_of = [&](std::vector<double> field) {
        for (std::size_t i = 0; i < size; ++i) {
          if (c.scaled)
            field[i] =
                double(scale.data()[i % c.channels]) * field[i] + double(offset.data()[i % c.channels]);
          field[i] -= wanted[i];
        }
        return std::sqrt(squares_of(c, field)) / norm;
      };
      const double want = error_of(value);
      ASSERT_NEAR(got[b], want, 500 * eps * (1 + want)) << b;
      total += want;
      for (std::size_t i = 0; i < size; i += 1 + size / 13) {
        const double x = value[i], h = 1e-6 * (1 + std::abs(x));
        value[i] = x + h;
        const double up = error_of(value);
        value[i] = x - h;
        const double slope = (up - error_of(value)) / (2 * h) / double(c.batch);
        value[i] = x;
        ASSERT_NEAR(double(y_bar.data()[b * size + i]), slope,
                    (std::is_same_v<T, float> ? 1e-4 : 1e-7) * (1 + std::abs(slope)))
            << b << " " << i;
      }
    }
    EXPECT_NEAR(mean, total / double(c.batch), 500 * eps * (1 + mean));
  }
}

// Of sines the norms are known: ‖sin 2πkx‖² = N/2, its central difference has the factor n sin(2πk/n).
TEST(RelativeH1, OfWavesIsWhatItIs) {
  constexpr std::size_t n = 64;
  std::vector<double> y(n), t(n);
  const auto error = [&](int of_y, int of_t, const H1Options& options) {
    for (std::size_t i = 0; i < n; ++i) {
      y[i] = t[i] = std::sin(2 * std::numbers::pi * of_t * double(i) / double(n));
      y[i] += std::cos(2 * std::numbers::pi * of_y * double(i) / double(n));
    }
    RelativeH1<double> measure(Cpu(1), {n}, 1, 1, options);
    double out = 0;
    const View<const double, 1> none(nullptr, 0);
    measure(View<const double, 3>(y.data(), 1, n, 1), none, none, View<const double, 3>(t.data(), 1, n, 1),
            View<double, 1>(&out, 1), View<double, 1>(nullptr, 0), View<double, 3>(nullptr, 0, 0, 0));
    return out;
  };
  EXPECT_NEAR(error(7, 2, {H1Norm::fourier}), std::sqrt(50.0 / 5), 1e-12);
  EXPECT_NEAR(error(19, 2, {H1Norm::fourier}), std::sqrt(362.0 / 5), 1e-12);
  EXPECT_NEAR(error(20, 2, {H1Norm::fourier}), std::sqrt(1.0 / 5), 1e-12);
  const auto slope = [](int k) { return double(n) * std::sin(2 * std::numbers::pi * k / double(n)); };
  EXPECT_NEAR(error(7, 2, {}), std::sqrt((1 + slope(7) * slope(7)) / (1 + slope(2) * slope(2))), 1e-12);
}

TEST(RelativeH1, OfWhatIsRightIsZeroWithoutAGradient) {
  for (const H1Norm norm : {H1Norm::differences, H1Norm::fourier}) {
    test::Guarded<double> y(6, 1), y_bar(6), errors(1), loss(1);
    RelativeH1<double> measure(Cpu(1), {6}, 1, 1, {norm});
    measure(y.cview(1, 6, 1), y.cview(0), y.cview(0), y.cview(1, 6, 1), errors.view(1), loss.view(1),
            y_bar.view(1, 6, 1));
    EXPECT_EQ(errors[0], 0);
    EXPECT_EQ(loss[0], 0);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(y_bar[i], 0);
    EXPECT_THROW(measure(y.cview(1, 6, 1), y.cview(0), y.cview(0), y.cview(1, 3, 2), errors.view(1),
                         loss.view(1), y_bar.view(0, 0, 0)),
                 ArgumentError);
    EXPECT_THROW(measure(y.cview(2, 3, 1), y.cview(0), y.cview(0), y.cview(2, 3, 1), errors.view(1),
                         loss.view(1), y_bar.view(0, 0, 0)),
                 ArgumentError);
  }
  EXPECT_THROW(RelativeH1<double>(Cpu(1), {2, 2, 2, 2}, 1, 1), ArgumentError);
}
}  // namespace
}  // namespace sobolev
