// SPDX-License-Identifier: Apache-2.0
#pragma once
// ETDRK4 (Cox & Matthews 2002) for v' = L v + N(v, t), L diagonal, mode by mode.
#include <functional>
#include <map>
#include <vector>

#include "src/data/spectral_grid.hpp"

namespace sobolev::detail {

class ExponentialIntegrator {
 public:
  /// N(v, t) -> out, both of the length of `linear`.
  using Nonlinear = std::function<void(const Complex* v, double t, Complex* out)>;
  /// An empty `nonlinear` means N = 0: any step is then exact.
  ExponentialIntegrator(std::vector<Complex> linear, Nonlinear nonlinear);

  /// From t to t + steps·h in place.
  void advance(std::vector<Complex>& v, double t, double h, long steps);

 private:
  struct Coefficients {
    std::vector<Complex> full, half, q, f1, f2, f3;  // e^{hL}, e^{hL/2} and the φ combinations
  };
  const Coefficients& coefficients(double h);

  std::vector<Complex> linear_;
  Nonlinear nonlinear_;
  std::map<double, Coefficients> known_;
  std::vector<Complex> a_, b_, n0_, na_, nb_;
};

}  // namespace sobolev::detail
