// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {

struct BasisProductShape {
  std::size_t batch, points, outputs, basis;  // B, P, O, K
  bool shared;                                // τ is that of all samples
};
/// ArgumentError unless they are [B, O K], [B or 1, P, O K], [O] or empty and [B, P, O].
BasisProductShape basis_product_shape(const char* name, const Extents<2>& branch, const Extents<3>& trunk,
                                      std::size_t bias, const Extents<3>& y);
/// The same for the adjoint, whose results have the shapes of branch and trunk or are empty.
BasisProductShape basis_product_adjoint_shape(const Extents<2>& branch, const Extents<3>& trunk,
                                              const Extents<3>& y_bar, const Extents<2>& branch_bar,
                                              const Extents<3>& trunk_bar, std::size_t bias_bar);

}  // namespace sobolev::detail
