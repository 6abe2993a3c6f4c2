// SPDX-License-Identifier: Apache-2.0
#include "kernels/operators/relative_l2_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
void check_relative_l2(const Extents<3>& y, std::size_t scale, std::size_t offset, const Extents<3>& target,
                       std::size_t errors, const Extents<3>& y_bar) {
  require(y == target && scale == offset && (scale == 0 || scale == y[2]) && errors == y[0] &&
              (y_bar[0] * y_bar[1] * y_bar[2] == 0 || y_bar == y),
          [&] {
            return fmt::format(
                "relative_l2: y is [{}], the target [{}], the scale [{}], the offset [{}], the errors [{}] "
                "and the "
                "gradient [{}]; they must be [B, N, C], [B, N, C], [C], [C], [B] and [B, N, C]",
                fmt::join(y, ", "), fmt::join(target, ", "), scale, offset, errors, fmt::join(y_bar, ", "));
          });
}
}  // namespace sobolev::detail
