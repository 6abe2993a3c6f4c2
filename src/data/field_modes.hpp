// SPDX-License-Identifier: Apache-2.0
#pragma once
// Modes of periodic random fields, and values of modes on a grid of any size.
#include <fftw3.h>

#include <array>
#include <cstdint>

#include "sobolev/core/buffer.hpp"
#include "sobolev/data/random_field.hpp"
#include "src/data/spectral_grid.hpp"

namespace sobolev::detail {

/// Modes of real periodic fields on the unit interval or square: row-major over k0 = −K0 … K0 and k1 = 0 …
/// K1, as of a SpectralGrid.
struct ModeRange {
  int k0 = 0, k1 = 0;  // the highest
  std::size_t columns() const { return std::size_t(k1) + 1; }
  std::size_t size() const { return std::size_t(2 * k0 + 1) * columns(); }
  std::size_t at(int i0, int i1) const { return std::size_t(i0 + k0) * columns() + std::size_t(i1); }
};

/// A number of its own for each pair of numbers, whatever the range: square shells (Szudzik).
inline std::uint64_t pair_number(std::uint64_t a, std::uint64_t b) {
  return a >= b ? a * a + a + b : b * b + a;
}

/// v(k) of a sample of N(0, covariance).
void sample_modes(const Philox& random, const FieldCovariance& covariance, bool mean, ModeRange range,
                  Complex* v);

/// Copies what both ranges have; the rest of `to` is zero.
void copy_modes(ModeRange from_range, const Complex* from, ModeRange to_range, Complex* to);

/// Values at the points (i/M0, j/M1) of a field given by its modes, exact for any M: modes beyond what a grid
/// resolves fall onto those that have the same values there.
class ModeValues {
 public:
  explicit ModeValues(std::array<std::size_t, 2> points);
  ~ModeValues();
  ModeValues(const ModeValues&) = delete;
  ModeValues& operator=(const ModeValues&) = delete;
  void operator()(ModeRange range, const Complex* v, double* values);
  std::size_t size() const { return field_.size(); }

 private:
  std::array<std::size_t, 2> points_;
  Buffer<Complex> spectrum_;
  Buffer<double> field_;
  fftw_plan plan_ = nullptr;
};

}  // namespace sobolev::detail
