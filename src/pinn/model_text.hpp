// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// The metadata "model" of a checkpoint (docs/checkpoints.md) for the first `windows` windows of what is
/// trained for a problem, as JSON.
std::string model_text(const Problem& problem, const Problem& trained, int windows);

}  // namespace sobolev::detail
