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
void check_channel_scale_adjoint(const Extents<2>& x, std::size_t weight, const Extents<2>& y_bar,
                                 const Extents<2>& x_bar, std::size_t weight_bar, std::size_t bias_bar,
                                 std::size_t workspace) {
  check_channel_scale("channel_scale_adjoint", x, weight, bias_bar, y_bar);
  require(weight_bar == weight && (x_bar[0] * x_bar[1] == 0 || x_bar == x) &&
              workspace >= channel_scale_workspace(x[0], x[1]),
          "channel_scale_adjoint: the adjoints must have the shapes of x and the weight, and the workspace "
          "channel_scale_workspace numbers");
}
}  // namespace detail

std::size_t channel_scale_workspace(std::size_t points, std::size_t channels) {
  return 2 * detail::shards_of(points).count * channels;
}

}  // namespace sobolev
