// SPDX-License-Identifier: Apache-2.0
#include "kernels/operators/channel_scale_shapes.hpp"

#include <fmt/format.h>

#include "kernels/operators/channel_mix_shapes.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/operators/channel_scale.hpp"

namespace sobolev {
namespace detail {
void check_channel_scale(const char* name, const Extents<2>& x, std::size_t weight, std::size_t bias,
                         const Extents<2>& y) {
  require(y == x && weight == x[1] && (bias == 0 || bias == x[1]), [&] {
    return fmt::format(
        "{}: x is [{}, {}], the weight [{}], the bias [{}] and y [{}, {}]; they must be [N, C], [C], [C] "
        "and [N, C]",
        name, x[0], x[1], weight, bias, y[0], y[1]);
  });
}
}  // namespace detail

std::size_t channel_scale_workspace(std::size_t points, std::size_t channels) {
  return 2 * detail::shards_of(points).count * channels;
}

}  // namespace sobolev
