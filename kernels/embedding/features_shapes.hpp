// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first.
#include <fmt/format.h>

#include "sobolev/core/error.hpp"
#include "sobolev/embedding/features.hpp"

namespace sobolev::detail {

template <class T>
void check_feature_shapes(const Features& features, const JetSpec& spec, View<const T, 2> x, View<const T, 3> y) {
  const std::size_t n = x.extent(0), dimensions = x.extent(1), inputs = std::size_t(features.inputs());
  require(dimensions == features.coordinates().size() && y.extent(0) == std::size_t(spec.channels()) &&
              y.extent(1) == inputs && y.extent(2) == n,
          fmt::format("feature_jets: x is [{}, {}] and y is [{}, {}, {}]; y must be [{}, {}, {}]", n,
                      dimensions, y.extent(0), y.extent(1), y.extent(2), spec.channels(), inputs, n));
}

}  // namespace sobolev::detail
