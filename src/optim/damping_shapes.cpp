// SPDX-License-Identifier: Apache-2.0
#include "kernels/optim/damping_shapes.hpp"

#include <fmt/format.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
void check_damping_diagonal(const Extents<2>& matrix, std::size_t diagonal) {
  require(matrix[0] == matrix[1] && matrix[0] == diagonal, [&] {
    return fmt::format("damping_diagonal: the matrix is [{}, {}] and the diagonal [{}]", matrix[0], matrix[1],
                       diagonal);
  });
}
void check_damped_matrix(const Extents<2>& matrix, std::size_t diagonal, const Extents<2>& out) {
  require(matrix[0] == matrix[1] && matrix[0] == diagonal && out[0] == out[1] && out[0] >= diagonal, [&] {
    return fmt::format("damped_matrix: the matrix is [{}, {}], the diagonal [{}] and the result [{}, {}]",
                       matrix[0], matrix[1], diagonal, out[0], out[1]);
  });
}
}  // namespace sobolev::detail
