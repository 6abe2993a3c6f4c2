// SPDX-License-Identifier: Apache-2.0
#pragma once
// How large the unknowns are likely to be, from what the problem says of them.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// u = offset + scale · (a network output of order one).
struct Magnitude {
  double scale = 1, offset = 0;
};

/// The magnitude of each unknown, by balances of terms at sample points, with the wave numbers that sources
/// have and π/length otherwise:
///   values that conditions prescribe, u = g: the size of g; far from zero with little variation, an offset;
///   sources: the amplitude at which the terms that contain u reach the terms that contain no unknown;
///   slopes, and mixtures of value and slope, that conditions prescribe;
///   terms of other unknowns, where nothing else is known.
/// Sources and slopes count where the values are zero, or where they make the solution 30 times larger.
/// Powers of ten; 1 where the estimate lies within 0.2 … 30 and where nothing is known. Unknowns with an
/// output transform have none. A nonlinear equation whose terms balance at a size of order one is not scaled
/// down. docs/defaults.md.
std::map<std::string, Magnitude> likely_magnitudes(const Problem& problem);

/// What an expression of the unknowns amounts to in the interior where these have the sizes network.scale and
/// network.offset, or what network.output makes of outputs of order one, and vary over the lengths of the
/// domain; root mean squares over sample points where they are finite.
struct NaturalSizes {
  double terms = 0;        // of the largest summand
  double sensitivity = 0;  // Σ |∂e/∂f| · (size of f) over the fields f in e: of a Jacobian row
};
NaturalSizes natural_sizes(const Problem& problem, Expr e);

}  // namespace sobolev::detail
