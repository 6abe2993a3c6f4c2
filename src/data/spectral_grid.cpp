// SPDX-License-Identifier: Apache-2.0
#include "src/data/spectral_grid.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>

namespace sobolev::detail {
namespace {
fftw_complex* raw(Complex* p) { return reinterpret_cast<fftw_complex*>(p); }
}  // namespace

std::mutex& fftw_planner() {
  static std::mutex planner;
  return planner;
}

SpectralGrid::SpectralGrid(std::array<int, 2> points, std::array<double, 2> low, std::array<double, 2> length)
    : points_(points),
      highest_{(points[0] - 1) / 3, (points[1] - 1) / 3},
      low_(low),
      length_(length),
      spectrum_(std::size_t(points[0]) * std::size_t(points[1] / 2 + 1)),
      field_(std::size_t(points[0]) * std::size_t(points[1])) {
  // Estimated plans, so that the same input gives the same bits in every run.
  const std::lock_guard lock(fftw_planner());
  forward_ = fftw_plan_dft_r2c_2d(points[0], points[1], field_.data(), raw(spectrum_.data()), FFTW_ESTIMATE);
  backward_ = fftw_plan_dft_c2r_2d(points[0], points[1], raw(spectrum_.data()), field_.data(), FFTW_ESTIMATE);
  ensure(forward_ != nullptr && backward_ != nullptr, "FFTW made no plan");
}

SpectralGrid::~SpectralGrid() {
  const std::lock_guard lock(fftw_planner());
  fftw_destroy_plan(forward_);
  fftw_destroy_plan(backward_);
}

double SpectralGrid::coordinate(int axis, int i) const {
  const auto a = std::size_t(axis);
  return low_[a] + length_[a] * i / points_[a];
}

std::vector<Complex> SpectralGrid::derivative(int a, int b) const {
  std::vector<Complex> out;
  out.reserve(modes());
  const double unit0 = 2 * std::numbers::pi / length_[0], unit1 = 2 * std::numbers::pi / length_[1];
  constexpr std::array<Complex, 4> powers_of_i{Complex(1, 0), Complex(0, 1), Complex(-1, 0), Complex(0, -1)};
  for (int k0 = -highest_[0]; k0 <= highest_[0]; ++k0)
    for (int k1 = 0; k1 <= highest_[1]; ++k1)
      out.push_back(powers_of_i[std::size_t(a + b) % 4] * std::pow(unit0 * k0, a) * std::pow(unit1 * k1, b));
  return out;
}

void SpectralGrid::to_points(const Complex* v, const Complex* multiplier, double* values) {
  const std::size_t row = std::size_t(points_[1] / 2 + 1);
  std::fill(spectrum_.begin(), spectrum_.end(), Complex{});
  for (int k0 = -highest_[0]; k0 <= highest_[0]; ++k0) {
    Complex* to = spectrum_.data() + std::size_t(k0 < 0 ? k0 + points_[0] : k0) * row;
    for (std::size_t k1 = 0; k1 < columns(); ++k1) to[k1] = times(*v++, *multiplier++);
  }
  fftw_execute_dft_c2r(backward_, raw(spectrum_.data()), field_.data());
  std::copy(field_.begin(), field_.end(), values);
}

void SpectralGrid::to_modes(const double* values, Complex* v) {
  std::copy_n(values, points(), field_.data());
  fftw_execute_dft_r2c(forward_, field_.data(), raw(spectrum_.data()));
  const std::size_t row = std::size_t(points_[1] / 2 + 1);
  const double scale = 1.0 / double(points());
  for (int k0 = -highest_[0]; k0 <= highest_[0]; ++k0) {
    const Complex* from = spectrum_.data() + std::size_t(k0 < 0 ? k0 + points_[0] : k0) * row;
    for (std::size_t k1 = 0; k1 < columns(); ++k1) *v++ = from[k1] * scale;
  }
}

void SpectralGrid::interpolate(const Complex* v, std::span<const double> x0, std::span<const double> x1,
                               double* out) const {
  // Horner's rule in z = exp(2πi (x − low)/L), |z| = 1, for all points of an axis side by side.
  const auto unit = [&](std::span<const double> x, std::size_t axis) {
    std::vector<Complex> z;
    for (double at : x)
      z.push_back(std::polar(1.0, 2 * std::numbers::pi * (at - low_[axis]) / length_[axis]));
    return z;
  };
  const auto z0 = unit(x0, 0), z1 = unit(x1, 1);
  std::vector<Complex> inner(x1.size()), sum(x0.size() * x1.size());
  const std::size_t rows = std::size_t(2 * highest_[0] + 1);
  for (std::size_t r = rows; r-- > 0;) {
    std::fill(inner.begin(), inner.end(), Complex{});
    for (std::size_t k = columns(); k-- > 0;) {
      const Complex c = v[r * columns() + k] * (k == 0 ? 1.0 : 2.0);
      for (std::size_t j = 0; j < x1.size(); ++j) inner[j] = times(inner[j], z1[j]) + c;
    }
    for (std::size_t i = 0; i < x0.size(); ++i)
      for (std::size_t j = 0; j < x1.size(); ++j)
        sum[i * x1.size() + j] = times(sum[i * x1.size() + j], z0[i]) + inner[j];
  }
  for (std::size_t i = 0; i < x0.size(); ++i) {
    const double lowest = -2 * std::numbers::pi * highest_[0] * (x0[i] - low_[0]) / length_[0];
    const Complex shift = std::polar(1.0, lowest);
    for (std::size_t j = 0; j < x1.size(); ++j)
      out[i * x1.size() + j] = times(sum[i * x1.size() + j], shift).real();
  }
}

}  // namespace sobolev::detail
