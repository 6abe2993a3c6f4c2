// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "sobolev/core/view.hpp"

namespace sobolev::detail {

struct ChannelMixShape {
  std::size_t points, inputs, outputs;
};
/// ArgumentError unless they are [N, C], [C, O], [O] or empty, [N, O] or empty, [N, O], [N, O] or empty.
ChannelMixShape channel_mix_shape(const char* name, const Extents<2>& x, const Extents<2>& weight,
                                  std::size_t bias, const Extents<2>& added, const Extents<2>& y,
                                  const Extents<2>& slope);

/// The same for the adjoint: x_bar [N, C] or empty, weight_bar [C, O], enough workspace.
ChannelMixShape channel_mix_adjoint_shape(const Extents<2>& x, const Extents<2>& weight,
                                          const Extents<2>& slope, const Extents<2>& y_bar,
                                          const Extents<2>& x_bar, const Extents<2>& weight_bar,
                                          std::size_t bias_bar, std::size_t workspace);

/// The points of the adjoint's sums in parts, each summed by itself and then in order.
struct Shards {
  std::size_t count, points;  // of each but the last
};
inline Shards shards_of(std::size_t points) {
  constexpr std::size_t least = 1024, most = 64;
  if (points == 0) return {0, least};
  std::size_t each = (points + most - 1) / most;
  each = each < least ? least : (each + 63) / 64 * 64;
  return {(points + each - 1) / each, each};
}

}  // namespace sobolev::detail
