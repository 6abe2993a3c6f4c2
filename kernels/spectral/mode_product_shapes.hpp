// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
struct ModeProductShape {
  std::size_t batch, modes, inputs, outputs;
};
/// ArgumentError unless they are [B, M, 2, C], [M, 2, C, O], [B, M, 2, O].
ModeProductShape mode_product_shape(const char* name, const Extents<4>& v, const Extents<4>& r,
                                    const Extents<4>& w);
}  // namespace sobolev::detail
