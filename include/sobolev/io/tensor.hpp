// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sobolev {

/// Numbers of a file: row-major values of the given shape (shape {} holds one value).
struct Tensor {
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

}  // namespace sobolev
