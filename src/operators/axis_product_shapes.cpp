// SPDX-License-Identifier: Apache-2.0
#include "kernels/operators/axis_product_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
void check_axis_product(const Extents<2>& matrix, const Extents<2>& turned, const Extents<3>& x,
                        const Extents<3>& y) {
  require(
      turned[0] == matrix[1] && turned[1] == matrix[0] && x[0] == y[0] && x[1] == matrix[1] &&
          y[1] == matrix[0] && x[2] == y[2],
      [&] {
        return fmt::format(
            "axis_product: the matrix is [{}], turned [{}], x [{}] and y [{}]; they must be [m, n], [n, m], "
            "[B, n, R] and [B, m, R]",
            fmt::join(matrix, ", "), fmt::join(turned, ", "), fmt::join(x, ", "), fmt::join(y, ", "));
      });
}
}  // namespace sobolev::detail
