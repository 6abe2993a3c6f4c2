// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev {

/// Reference values on a tensor grid.
struct Reference {
  std::vector<std::vector<double>> axes;              // per coordinate, in the problem's order
  std::map<std::string, std::vector<double>> values;  // unknown -> row-major over the axes
  double error_bound = 0;                             // estimated relative L2 error of the values (0: exact)
  std::string source;                                 // "exact", "etdrk4 (512 modes, dt 1e-4)", a file
};

/// The reference that the problem asks for (exact expression, file, or solver); ArgumentError or
/// ParseError when it cannot be had (an equation that the solver does not cover, a missing array, …).
Reference make_reference(const Cpu&, const Problem&);

/// Fourier pseudo-spectral solution with the exponential integrator ETDRK4 (Cox & Matthews 2002, with
/// the contour integrals of Kassam & Trefethen 2005), for first-order-in-time evolution equations,
/// periodic in 1 or 2 space coordinates, one or more unknowns: u_t = L u + N(u, u_x, …, x, t). The
/// constant-coefficient linear part L is split off the expression tree; N is evaluated on the grid
/// through the tape, dealiased by the 2/3 rule. Modes are doubled and the step halved until the values
/// on the grid stand still; error_bound is the last change.
Reference solve_etdrk4(const Cpu&, const Problem&, const std::vector<std::vector<double>>& axes);

/// Points of a coordinate on the grid of a problem that asks for none: so fine that pictures are smooth, and
/// affordable (10⁵ in all beyond three dimensions).
int default_grid_points(std::size_t dimensions, bool periodic);

}  // namespace sobolev
