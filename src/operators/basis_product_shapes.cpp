// SPDX-License-Identifier: Apache-2.0
#include "kernels/operators/basis_product_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

BasisProductShape basis_product_shape(const char* name, const Extents<2>& branch, const Extents<3>& trunk,
                                      std::size_t bias, const Extents<3>& y) {
  const std::size_t outputs = y[2];
  const bool shared = trunk[0] == 1 && branch[0] != 1;
  require(outputs > 0 && branch[1] > 0 && branch[1] % outputs == 0 && trunk[2] == branch[1] &&
              (trunk[0] == branch[0] || trunk[0] == 1) && y[0] == branch[0] && y[1] == trunk[1] &&
              (bias == 0 || bias == outputs),
          [&] {
            return fmt::format(
                "{}: the branch is [{}], the trunk [{}], the bias [{}] and y [{}]; they must be [B, O K], "
                "[B or 1, P, O K], [O] and [B, P, O]",
                name, fmt::join(branch, ", "), fmt::join(trunk, ", "), bias, fmt::join(y, ", "));
          });
  return {branch[0], trunk[1], outputs, branch[1] / std::max<std::size_t>(1, outputs), shared};
}

BasisProductShape basis_product_adjoint_shape(const Extents<2>& branch, const Extents<3>& trunk,
                                              const Extents<3>& y_bar, const Extents<2>& branch_bar,
                                              const Extents<3>& trunk_bar, std::size_t bias_bar) {
  const auto shape = basis_product_shape("basis_product_adjoint", branch, trunk, bias_bar, y_bar);
  require((branch_bar[0] * branch_bar[1] == 0 || branch_bar == branch) &&
              (trunk_bar[0] * trunk_bar[1] * trunk_bar[2] == 0 || trunk_bar == trunk),
          "basis_product_adjoint: the adjoints of branch and trunk must have their shapes");
  return shape;
}

}  // namespace sobolev::detail
