// SPDX-License-Identifier: Apache-2.0
#include "kernels/jet/activation_shapes.hpp"

#include <fmt/format.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

void check_activation_shapes(const char* name, const JetSpec& spec, const Extents<2>& z,
                             const Extents<2>& other) {
  require(z[0] == std::size_t(spec.channels()) && other == z, [&] {
    return fmt::format("{}: arrays are [{}, {}] and [{}, {}] but the jet has {} channels", name, z[0], z[1],
                       other[0], other[1], spec.channels());
  });
}

}  // namespace sobolev::detail
