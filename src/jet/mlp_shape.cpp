// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "sobolev/core/error.hpp"
#include "sobolev/jet/mlp.hpp"

namespace sobolev {

std::size_t MlpShape::weight_offset(int layer) const {
  const std::size_t w = std::size_t(width);
  if (layer == 0) return 0;
  return std::size_t(inputs + 1) * w + std::size_t(layer - 1) * (w + 1) * w;
}

void MlpShape::validate() const {
  const auto check = [](const char* what, int value, int high) {
    require(value >= 1 && value <= high,
            fmt::format("network: {} is {}; it must be 1 to {}", what, value, high));
  };
  check("the number of inputs", inputs, 1024);
  check("the number of outputs", outputs, 1024);
  check("depth", depth, 32);
  check("width", width, 4096);
}

}  // namespace sobolev
