// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "sobolev/core/view.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev::app {

/// How many of the points [N, D] lie outside the domain and how far, as a sentence; "" where none does. In a
/// periodic coordinate no point is outside. There the network extrapolates: nothing was trained.
std::string outside_domain(const Problem& problem, View<const double, 2> points);

}  // namespace sobolev::app
