// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
// ArgumentError unless the shapes agree.
void check_gemm_shapes(const Extents<2>& a, const Extents<2>& b, const Extents<2>& c, bool transpose_a,
                       bool transpose_b);
void check_gemm_batch(std::size_t a, std::size_t b, std::size_t c);
}  // namespace sobolev::detail
