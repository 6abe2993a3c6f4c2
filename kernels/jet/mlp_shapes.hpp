// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first.
#include <fmt/format.h>

#include "sobolev/core/error.hpp"
#include "sobolev/jet/mlp.hpp"

namespace sobolev::detail {

template <class T>
void check_mlp_shapes(const char* name, const MlpShape& shape, const JetSpec& spec, View<const T, 1> parameters,
           View<const T, 3> x, View<const T, 3> y) {
  shape.validate();
  const std::size_t k = std::size_t(spec.channels()), in = std::size_t(shape.inputs),
                    out = std::size_t(shape.outputs);
  require(parameters.size() == shape.parameters(),
          fmt::format("{}: {} parameters are given, the network has {}", name, parameters.size(),
                      shape.parameters()));
  require(x.extent(0) == k && x.extent(1) == in,
          fmt::format("{}: x is [{}, {}, {}] but must be [{}, {}, N]", name, x.extent(0), x.extent(1),
                      x.extent(2), k, in));
  require(y.extent(0) == k && y.extent(1) == out && y.extent(2) == x.extent(2),
          fmt::format("{}: y is [{}, {}, {}] but must be [{}, {}, {}]", name, y.extent(0), y.extent(1),
                      y.extent(2), k, out, x.extent(2)));
}

}  // namespace sobolev::detail
