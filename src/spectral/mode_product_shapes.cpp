// SPDX-License-Identifier: Apache-2.0
#include "kernels/spectral/mode_product_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

ModeProductShape mode_product_shape(const char* name, const Extents<4>& v, const Extents<4>& r,
                                    const Extents<4>& w) {
  const ModeProductShape s{v[0], v[1], v[3], w[3]};
  require(v[2] == 2 && r == Extents<4>{s.modes, 2, s.inputs, s.outputs} &&
              w == Extents<4>{s.batch, s.modes, 2, s.outputs},
          [&] {
            return fmt::format(
                "{}: coefficients [{}], weights [{}] and results [{}]; they must be [B, M, 2, C], [M, 2, C, "
                "O] and "
                "[B, M, 2, O]",
                name, fmt::join(v, ", "), fmt::join(r, ", "), fmt::join(w, ", "));
          });
  return s;
}

}  // namespace sobolev::detail
