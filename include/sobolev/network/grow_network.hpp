// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "sobolev/core/view.hpp"
#include "sobolev/network/network.hpp"

namespace sobolev {

/// Parameters of `to`, a wider network of the same instructions, with which it is the same function as
/// `from`: to rounding, each instruction sums the same numbers and zeros. The features that slots have in
/// common come first and keep their parameters; a new neuron or Gaussian takes what goes into it from
/// `fresh`, parameters that `to` could begin with, and what old neurons and outputs read of it is zero. So it
/// has no effect yet, but the gradient by these zeros is none.
///   parameters : [P of from], fresh : [P of to]; result : [P of to]
/// ArgumentError unless both have the same instructions on the same slots (kinds, activations, factorisation,
/// numbers of inputs and outputs), with at least as many features in each slot of `to`: a network gets no
/// deeper by this.
/// Source: Chen, Goodfellow & Shlens 2016, "Net2Net", for the idea of function-preserving growth.
std::vector<double> grow_network(const Network& from, View<const double, 1> parameters, const Network& to,
                                 View<const double, 1> fresh);

}  // namespace sobolev
