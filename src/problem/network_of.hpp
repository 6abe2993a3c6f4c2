// SPDX-License-Identifier: Apache-2.0
#pragma once
// The network that a problem's options describe.
#include <map>
#include <string>
#include <vector>

#include "sobolev/network/features.hpp"
#include "sobolev/network/network.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {
inline constexpr int default_depth = 2;

/// Whether a network of the problem is of kind gaussian.
bool has_gaussians(const NetworkOptions& options);

/// Hidden layers behind Gaussians where none are given.
int gaussian_depth(const Problem& problem);

/// The network's inputs, for coordinates in `ranges` (those of a time window).
Features network_features(const Problem& problem, const std::vector<CoordinateRange>& ranges);
/// Its outputs: the unknowns, then the unknown constants in their units.
Network network_of(const Problem& problem);
/// The unknown constants in the problem's units, from the parameters of such a network.
std::map<std::string, double> found_constants(const Problem& problem, const std::vector<double>& parameters);
/// Symmetries that need mirrored copies of a point; the others are in the features.
std::vector<Symmetry> mirror_symmetry(const Problem& problem);

}  // namespace sobolev::detail
