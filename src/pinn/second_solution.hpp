// SPDX-License-Identifier: Apache-2.0
#pragma once
// A second solution of a problem, by other means than a network, to compare the trained one with.
#include <vector>

#include "sobolev/pinn/solve.hpp"
#include "state.hpp"

namespace sobolev::detail {

/// The trained solution beside one by least-squares collocation (collocation.hpp) of the same equations and
/// conditions. Where the problem evolves from initial data it goes forward in time by steps that are as short
/// as the polynomials ask for, so that what grows from small beginnings is followed; otherwise it is one box
/// and starts from the trained solution. More and more polynomials are taken until two solutions agree to a
/// tenth of their distance to the trained one; `most_work` (multiplications and additions) limits what that
/// may cost.
///
/// One entry for each unknown (and unknown constant) of the problem as asked; empty where nothing can be
/// said: the polynomials do not settle (layers, jumps, too many coordinates) or leave residuals at fresh
/// points (something narrow that no node is on), conditions do not determine the solution (another start
/// leads elsewhere, or an end has too few), or network.output or symmetry may stand for some of them.
std::vector<Comparison> compare_with_collocation(const Cpu&, const Solution::State& state, double most_work);
/// What that may cost: a tenth of the training with so many rows so far, within limits.
double work_for_comparison(const Solution::State& state, std::size_t rows);
/// The trained solution lies more than 1 % away, which is known to a fifth.
bool wrong(const Comparison& c);

}  // namespace sobolev::detail
