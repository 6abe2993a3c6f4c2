// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kernels/jet/mlp_shapes.hpp"
#include "sobolev/core/error.hpp"

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

void detail::check_mlp_shapes(const char* name, const MlpShape& shape, const JetSpec& spec,
                              std::size_t parameters, const Extents<3>& x, const Extents<3>& y) {
  shape.validate();
  const std::size_t k = std::size_t(spec.channels()), in = std::size_t(shape.inputs),
                    out = std::size_t(shape.outputs);
  require(parameters == shape.parameters(), fmt::format("{}: {} parameters are given, the network has {}",
                                                        name, parameters, shape.parameters()));
  require(x[0] == k && x[1] == in,
          fmt::format("{}: x is [{}, {}, {}] but must be [{}, {}, N]", name, x[0], x[1], x[2], k, in));
  require(
      y[0] == k && y[1] == out && y[2] == x[2],
      fmt::format("{}: y is [{}, {}, {}] but must be [{}, {}, {}]", name, y[0], y[1], y[2], k, out, x[2]));
}

}  // namespace sobolev
