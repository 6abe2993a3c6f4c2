// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kernels/linalg/gemm_shapes.hpp"
#include "kernels/linalg/symmetric_shapes.hpp"
#include "kernels/linalg/vector_shapes.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev::detail {

void check_axpby(std::size_t x, std::size_t y, std::size_t out) {
  require(x == y && y == out,
          [&] { return fmt::format("axpby: x is [{}], y [{}] and out [{}]; they must agree", x, y, out); });
}

void check_dot(std::size_t x, std::size_t y) {
  require(x == y, [&] { return fmt::format("dot: x is [{}] and y [{}]; they must agree", x, y); });
}

void check_gemm_shapes(const Extents<2>& a, const Extents<2>& b, const Extents<2>& c, bool transpose_a,
                       bool transpose_b) {
  const auto turned = [](const Extents<2>& x, bool t) { return t ? Extents<2>{x[1], x[0]} : x; };
  const Extents<2> left = turned(a, transpose_a), right = turned(b, transpose_b);
  require(left[1] == right[0] && c[0] == left[0] && c[1] == right[1], [&] {
    return fmt::format(
        "gemm: a is [{}, {}]{}, b [{}, {}]{} and c [{}, {}]; they must be [M, K], [K, N] and [M, N]", a[0],
        a[1], transpose_a ? " transposed" : "", b[0], b[1], transpose_b ? " transposed" : "", c[0], c[1]);
  });
}

void check_gemm_batch(std::size_t a, std::size_t b, std::size_t c) {
  require(a == b && b == c,
          [&] { return fmt::format("gemm: {} matrices a, {} b and {} c; they must agree", a, b, c); });
}

void check_syrk_shapes(const Extents<2>& a, const Extents<2>& c) {
  const std::size_t p = a[1];
  require(c[0] == p && c[1] == p, [&] {
    return fmt::format("syrk: a is [{}, {}], so c must be [{}, {}], not [{}, {}]", a[0], p, p, p, c[0], c[1]);
  });
}

void check_cholesky_shapes(const Extents<2>& a) {
  require(a[0] == a[1],
          [&] { return fmt::format("cholesky: the matrix is [{}, {}], not square", a[0], a[1]); });
}

void check_cholesky_solve_shapes(const Extents<2>& u, std::size_t b) {
  require(u[0] == u[1],
          [&] { return fmt::format("cholesky_solve: the matrix is [{}, {}], not square", u[0], u[1]); });
  require(b == u[0],
          [&] { return fmt::format("cholesky_solve: b has {} elements, the matrix {} rows", b, u[0]); });
}

}  // namespace sobolev::detail
