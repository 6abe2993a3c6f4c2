// SPDX-License-Identifier: Apache-2.0
#pragma once
// Real fields on a periodic grid and their Fourier coefficients, dealiased by the 2/3 rule.
#include <fftw3.h>

#include <array>
#include <complex>
#include <mutex>
#include <span>
#include <vector>

#include "sobolev/core/buffer.hpp"

namespace sobolev::detail {

using Complex = std::complex<double>;

/// Held while plans are made and destroyed: FFTW's planner is not thread-safe.
std::mutex& fftw_planner();

/// The product without the special cases of infinities that std::complex spends a call on.
inline Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// A periodic grid of M0 × M1 points (M0 = 1: one dimension), point (i, j) at low + (i L0/M0, j L1/M1).
/// Fields are kept by their modes: row-major over k0 = −K0 … K0 and k1 = 0 … K1, with 3 K < M, of
///   u(x) = Re Σ w v(k0, k1) exp(2πi (k0 (x0 − low0)/L0 + k1 (x1 − low1)/L1)),  w = 1 for k1 = 0, else 2.
class SpectralGrid {
 public:
  SpectralGrid(std::array<int, 2> points, std::array<double, 2> low, std::array<double, 2> length);
  ~SpectralGrid();
  SpectralGrid(const SpectralGrid&) = delete;
  SpectralGrid& operator=(const SpectralGrid&) = delete;

  std::size_t points() const { return std::size_t(points_[0]) * std::size_t(points_[1]); }
  int points(int axis) const { return points_[std::size_t(axis)]; }
  std::size_t modes() const { return std::size_t(2 * highest_[0] + 1) * columns(); }
  int highest(int axis) const { return highest_[std::size_t(axis)]; }
  std::size_t index(int k0, int k1) const {
    return std::size_t(k0 + highest_[0]) * columns() + std::size_t(k1);
  }
  double coordinate(int axis, int i) const;
  /// (2πi k0/L0)^a (2πi k1/L1)^b for every mode.
  std::vector<Complex> derivative(int a, int b) const;

  /// Values on the grid of the field with modes v·multiplier.
  void to_points(const Complex* v, const Complex* multiplier, double* values);
  /// Modes of the values, cut by the 2/3 rule.
  void to_modes(const double* values, Complex* v);
  /// Values at the tensor product of two lists of coordinates: out [x0.size(), x1.size()], exact sums.
  void interpolate(const Complex* v, std::span<const double> x0, std::span<const double> x1,
                   double* out) const;

 private:
  std::size_t columns() const { return std::size_t(highest_[1]) + 1; }
  std::array<int, 2> points_, highest_;
  std::array<double, 2> low_, length_;
  Buffer<Complex> spectrum_;
  Buffer<double> field_;
  fftw_plan forward_ = nullptr, backward_ = nullptr;
};

}  // namespace sobolev::detail
