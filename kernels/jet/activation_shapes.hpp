// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first.
#include <fmt/format.h>

#include "sobolev/core/error.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/jet/spec.hpp"

namespace sobolev::detail {

template <class T>
void check_activation_shapes(const char* name, const JetSpec& spec, View<const T, 2> z, View<const T, 2> other) {
  require(z.extent(0) == std::size_t(spec.channels()) && other.shape() == z.shape(),
          fmt::format("{}: arrays are [{}, {}] and [{}, {}] but the jet has {} channels", name, z.extent(0),
                      z.extent(1), other.extent(0), other.extent(1), spec.channels()));
}

}  // namespace sobolev::detail
