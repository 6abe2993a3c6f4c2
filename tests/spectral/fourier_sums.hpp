// SPDX-License-Identifier: Apache-2.0
#pragma once
// The definitions of spectral/truncated_transform.hpp as plain sums in double.
#include <complex>
#include <numbers>
#include <string>
#include <vector>

#include "sobolev/spectral/modes.hpp"

namespace sobolev::test {

inline std::string describe(const std::vector<std::size_t>& grid, const std::vector<ModeRange>& modes) {
  std::string text = "grid";
  for (std::size_t n : grid) text += " " + std::to_string(n);
  text += ", modes";
  for (const ModeRange& m : modes) text += " " + std::to_string(m.low) + "…" + std::to_string(m.high);
  return text;
}

/// Calls f(flat index, indices) for all of a box.
template <class F>
void for_all(const std::vector<std::size_t>& sizes, const F& f) {
  std::size_t count = 1;
  for (std::size_t s : sizes) count *= s;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::size_t> at(sizes.size());
    std::size_t rest = i;
    for (std::size_t a = sizes.size(); a-- > 0;) {
      at[a] = rest % sizes[a];
      rest /= sizes[a];
    }
    f(i, at);
  }
}
inline std::vector<std::size_t> counts(const std::vector<ModeRange>& modes) {
  std::vector<std::size_t> out;
  for (const ModeRange& m : modes) out.push_back(m.count());
  return out;
}
inline bool all_resolved(const std::vector<std::size_t>& grid, const std::vector<ModeRange>& modes,
                         const std::vector<std::size_t>& k) {
  bool all = true;
  for (std::size_t a = 0; a < grid.size(); ++a)
    all = all && resolved(modes[a].low + int(k[a]), grid[a], a + 1 == grid.size());
  return all;
}
/// 2π Σ_a k_a n_a/N_a.
inline double phase(const std::vector<std::size_t>& grid, const std::vector<ModeRange>& modes,
                    const std::vector<std::size_t>& k, const std::vector<std::size_t>& n) {
  double sum = 0;
  for (std::size_t a = 0; a < grid.size(); ++a)
    sum += double((modes[a].low + long(k[a])) * long(n[a]) % long(grid[a])) / double(grid[a]);
  return 2 * std::numbers::pi * sum;
}

template <class T>
std::vector<std::complex<double>> fourier_sum(const std::vector<std::size_t>& grid,
                                              const std::vector<ModeRange>& modes, const T* x,
                                              std::size_t step) {
  double points = 1;
  for (std::size_t n : grid) points *= double(n);
  std::vector<std::complex<double>> out;
  for_all(counts(modes), [&](std::size_t, const std::vector<std::size_t>& k) {
    std::complex<double> sum = 0;
    if (all_resolved(grid, modes, k))
      for_all(grid, [&](std::size_t i, const std::vector<std::size_t>& n) {
        sum += std::polar(double(x[i * step]) / points, -phase(grid, modes, k, n));
      });
    out.push_back(sum);
  });
  return out;
}

/// size: Σ s |v|.
inline std::vector<double> inverse_fourier_sum(const std::vector<std::size_t>& grid,
                                               const std::vector<ModeRange>& modes,
                                               const std::vector<std::complex<double>>& v,
                                               double* size = nullptr) {
  std::vector<double> out;
  double total = 0;
  for_all(grid, [&](std::size_t i, const std::vector<std::size_t>& n) {
    double sum = 0;
    for_all(counts(modes), [&](std::size_t m, const std::vector<std::size_t>& k) {
      if (!all_resolved(grid, modes, k)) return;
      const int last = modes.back().low + int(k.back());
      const double s = last == 0 || 2 * std::size_t(last) == grid.back() ? 1 : 2;
      sum += (s * v[m] * std::polar(1.0, phase(grid, modes, k, n))).real();
      if (i == 0) total += s * std::abs(v[m]);
    });
    out.push_back(sum);
  });
  if (size != nullptr) *size = total;
  return out;
}

}  // namespace sobolev::test
