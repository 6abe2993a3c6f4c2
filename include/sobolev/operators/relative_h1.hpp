// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// Which derivatives an H¹ norm has.
enum class H1Norm { differences, fourier };

struct H1Options {
  H1Norm norm = H1Norm::differences;
  bool periodic = true;  // of differences
  int frequencies = 20;  // of the Fourier norm: those below it have weights
};

namespace detail {
template <class T, class E>
struct H1Plan;
}

/// The relative H¹ error of each sample of fields on a grid n₁ … n_d over the unit box, 1 to 3 axes, and the
/// gradient of the mean:
///   e_b = ‖s ⊙ y_b + m − t_b‖ / ‖t_b‖,   ȳ = ∂(1/B Σ_b e_b)/∂y,   sums over points and channels,
///   differences   ‖f‖² = Σ f² + Σ_a (D_a f)²: (f(i + 1) − f(i − 1))/(2h) along axis a, on periodic axes with
///                 h = 1/n_a, on others with h = 1/(n_a − 1) and (f(1) − f(0))/h, (f(n−1) − f(n−2))/h at the
///                 ends
///   fourier       ‖f‖² = N Σ_k (1 + Σ_a w(k_a)) |f̂(k)|²,  w(k) = k² for |k| < frequencies, else 0, whole k,
///                 without 2π: the plain squares and, axis by axis, N Σ w(k_a) |f̂|² from the coefficients
///                 along that axis alone
/// Where ‖t_b‖ = 0 it counts as 1; where ‖s y_b + m − t_b‖ = 0 is ȳ_b = 0. Error of e: 4 eps (1 + Σ_a G_a)
/// (‖s y‖₀ + ‖t‖₀)/‖t‖, ‖·‖₀ the plain norm and G_a = 1/h, or frequencies · n_a; sums in float64 in an order
/// that the shapes give. Source: differences as Kossaifi et al. (neuraloperator, H1 loss); fourier: He, Liu &
/// Xu 2024, "MgNO", with the truncation at 20 of its published experiments.
template <class T, class E = Cpu>
class RelativeH1 {
 public:
  /// For at most `batch` samples at once. ArgumentError for a grid of other than 1 to 3 axes.
  RelativeH1(const E&, const std::vector<std::size_t>& grid, std::size_t channels, std::size_t batch,
             const H1Options& options = {});
  RelativeH1(RelativeH1&&) noexcept;
  RelativeH1& operator=(RelativeH1&&) noexcept;
  ~RelativeH1();

  /// y, target : [B, N, C], s, m : [C] or empty (1 and 0), errors : [B], loss : [1] or empty gets the mean,
  /// y_bar : [B, N, C] or empty. ArgumentError where shapes disagree. Takes no memory, and on a device does
  /// not wait.
  void operator()(View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                  View<const T, 3> target, View<double, 1> errors, View<double, 1> loss, View<T, 3> y_bar);

 private:
  std::unique_ptr<detail::H1Plan<T, E>> plan_;
};

}  // namespace sobolev
