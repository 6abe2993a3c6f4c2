// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kernels/linalg/symmetric_shapes.hpp"
#include "kernels/linalg/vector_shapes.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev::detail {

void check_axpby(std::size_t x, std::size_t y, std::size_t out) {
  require(x == y && y == out,
          fmt::format("axpby: x is [{}], y [{}] and out [{}]; they must agree", x, y, out));
}

void check_dot(std::size_t x, std::size_t y) {
  require(x == y, fmt::format("dot: x is [{}] and y [{}]; they must agree", x, y));
}

void check_syrk_shapes(const Extents<2>& a, const Extents<2>& c) {
  const std::size_t p = a[1];
  require(c[0] == p && c[1] == p,
          fmt::format("syrk: a is [{}, {}], so c must be [{}, {}], not [{}, {}]", a[0], p, p, p, c[0], c[1]));
}

void check_cholesky_shapes(const Extents<2>& a) {
  require(a[0] == a[1], fmt::format("cholesky: the matrix is [{}, {}], not square", a[0], a[1]));
}

void check_cholesky_solve_shapes(const Extents<2>& u, std::size_t b) {
  require(u[0] == u[1], fmt::format("cholesky_solve: the matrix is [{}, {}], not square", u[0], u[1]));
  require(b == u[0], fmt::format("cholesky_solve: b has {} elements, the matrix {} rows", b, u[0]));
}

}  // namespace sobolev::detail
