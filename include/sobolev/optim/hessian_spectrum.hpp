// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/optim/objective.hpp"

namespace sobolev {

struct HessianSpectrumOptions {
  int steps = 64;  // of Lanczos, m
  int probes = 8;  // random vectors v
  unsigned long seed = 0;
};

/// The spectral density of H = ∂²L/∂θ² : [P, P] by stochastic Lanczos quadrature: from a random vector v of
/// norm 1, m steps give a tridiagonal matrix with eigenvalues λ_k and eigenvectors y_k, and
///   (1/P) Σ_i f(λ_i(H)) ≈ mean over v of Σ_k ω_k f(λ_k),  ω_k = (y_k)₁²,
/// exact for polynomials of degree 2m − 1 in each vᵀ f(H) v. The extreme λ_k are close to those of H. Each
/// step takes one product H v ≈ (∇L(θ + hv) − ∇L(θ − hv)) / 2h, h = 1e-5 (1 + |θ|): an error of h² times the
/// third derivative along v, about 1e-9 of the largest eigenvalue for smooth networks in float64. All vectors
/// are kept and orthogonalised against: m·P numbers. Source: Ubaru, Chen & Saad 2017, "Fast estimation of
/// tr(f(A)) via stochastic Lanczos quadrature"; Ghorbani, Krishnan & Xiao 2019.
struct HessianSpectrum {
  std::vector<double> eigenvalues, weights;  // λ_k, ω_k / probes, of all probes; Σ weights = 1; λ ascending
  double largest = 0, smallest = 0;
  double trace = 0;  // P Σ ω λ
};
HessianSpectrum hessian_spectrum(Objective<double, Cpu>& objective, View<const double, 1> parameters,
                                 const HessianSpectrumOptions& = {});

}  // namespace sobolev
