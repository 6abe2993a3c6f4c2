// SPDX-License-Identifier: Apache-2.0
#include "kernels/operators/field_copy_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

void check_field_copy(const Extents<3>& from, const FieldBox& from_box, const Extents<3>& to,
                      const FieldBox& to_box, const Extents<3>& box, std::size_t channels) {
  const auto inside = [&](const Extents<3>& field, const FieldBox& at) {
    bool fits = at.grid[0] * at.grid[1] * at.grid[2] == field[1] && at.channel + channels <= field[2];
    for (std::size_t a = 0; a < 3; ++a) fits = fits && at.first[a] + box[a] <= at.grid[a];
    return fits;
  };
  const auto text = [&](const Extents<3>& field, const FieldBox& at) {
    return fmt::format("[{}] on the grid [{}] from point [{}] and channel {} on", fmt::join(field, ", "),
                       fmt::join(at.grid, ", "), fmt::join(at.first, ", "), at.channel);
  };
  require(inside(from, from_box) && inside(to, to_box) && (from[0] == to[0] || from[0] == 1), [&] {
    return fmt::format("field_copy: {} channels of a box [{}] do not fit into {} and {}", channels,
                       fmt::join(box, ", "), text(from, from_box), text(to, to_box));
  });
}

}  // namespace sobolev::detail
