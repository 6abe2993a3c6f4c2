// SPDX-License-Identifier: Apache-2.0
#pragma once
// The network that a problem's options describe.
#include <vector>

#include "sobolev/network/features.hpp"
#include "sobolev/network/network.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// The network's inputs, for coordinates in `ranges` (those of a time window).
Features network_features(const Problem& problem, const std::vector<CoordinateRange>& ranges);
Network network_of(const Problem& problem);
/// Symmetries that need mirrored copies of a point; the others are in the features.
std::vector<Symmetry> mirror_symmetry(const Problem& problem);

}  // namespace sobolev::detail
