// SPDX-License-Identifier: Apache-2.0
#include "kernels/operators/channel_mix_shapes.hpp"

#include <fmt/format.h>

#include "sobolev/core/error.hpp"
#include "sobolev/operators/channel_mix.hpp"

namespace sobolev {
namespace detail {

ChannelMixShape channel_mix_shape(const char* name, const Extents<2>& x, const Extents<2>& weight,
                                  std::size_t bias, const Extents<2>& added, const Extents<2>& y,
                                  const Extents<2>& slope) {
  const ChannelMixShape s{x[0], x[1], weight[1]};
  const auto fits = [&](const Extents<2>& a) {
    return a[0] * a[1] == 0 || (a[0] == s.points && a[1] == s.outputs);
  };
  require(weight[0] == s.inputs && (bias == 0 || bias == s.outputs) && fits(added) && y[0] == s.points &&
              y[1] == s.outputs && fits(slope),
          [&] {
            return fmt::format(
                "{}: x is [{}, {}], the weight [{}, {}], the bias [{}], what is added [{}, {}], y [{}, {}] "
                "and the "
                "slope [{}, {}]; they must be [N, C], [C, O], [O], [N, O], [N, O] and [N, O]",
                name, x[0], x[1], weight[0], weight[1], bias, added[0], added[1], y[0], y[1], slope[0],
                slope[1]);
          });
  return s;
}

ChannelMixShape channel_mix_adjoint_shape(const Extents<2>& x, const Extents<2>& weight,
                                          const Extents<2>& slope, const Extents<2>& y_bar,
                                          const Extents<2>& x_bar, const Extents<2>& weight_bar,
                                          std::size_t bias_bar, std::size_t workspace) {
  const ChannelMixShape s =
      channel_mix_shape("channel_mix_adjoint", x, weight, bias_bar, {0, 0}, y_bar, slope);
  require(weight_bar == weight && (x_bar[0] * x_bar[1] == 0 || x_bar == x),
          "channel_mix_adjoint: the adjoints of x and the weight must have their shapes");
  require(workspace >= channel_mix_workspace(s.points, s.inputs, s.outputs),
          "channel_mix_adjoint: the workspace is smaller than channel_mix_workspace");
  return s;
}
}  // namespace detail

std::size_t channel_mix_workspace(std::size_t points, std::size_t inputs, std::size_t outputs) {
  return detail::shards_of(points).count * (inputs + 1) * outputs + inputs * outputs;
}

}  // namespace sobolev
