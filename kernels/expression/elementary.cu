// SPDX-License-Identifier: Apache-2.0
// y = f(x), elementwise, for the unary operations of expressions.       x, y : [N]
// One thread per element, grid-stride, CUDA's own functions; the operation is the same for all threads, so
// that its choice costs nothing. 2·N·sizeof(T) bytes: bandwidth bound in float32, in float64 bound by
// arithmetic for most functions.
#include <algorithm>
#include <cmath>

#include "kernels/common/cuda.hpp"
#include "kernels/expression/elementary_detail.hpp"
#include "kernels/expression/elementary_shapes.hpp"
#include "sobolev/expression/elementary.hpp"

namespace sobolev {
namespace {
template <class T>
__global__ void elementary_kernel(Op op, View<const T, 1> x, View<T, 1> y) {
  const std::size_t first = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  const auto all = [&](auto f) {
    for (std::size_t i = first; i < x.size(); i += stride) y(i) = f(x(i));
  };
  switch (op) {  // CUDA's own, right for arguments of any size
    case Op::sine: return all([](T v) { return std::sin(v); });
    case Op::cosine: return all([](T v) { return std::cos(v); });
    case Op::tangent: return all([](T v) { return std::tan(v); });
    default: return target_cuda::with_unary<T>(op, all);
  }
}
}  // namespace

template <class T>
void elementary(const Cuda& cuda, Op op, View<const T, 1> x, View<T, 1> y) {
  detail::check_elementary(op, x.size(), y.size());
  if (x.size() == 0) return;
  const unsigned blocks = std::min(blocks_for(x.size(), 256), 8 * unsigned(cuda.multiprocessors()));
  launch<elementary_kernel<T>>(cuda, {blocks, 256}, op, x, y);
}
template void elementary<float>(const Cuda&, Op, View<const float, 1>, View<float, 1>);
template void elementary<double>(const Cuda&, Op, View<const double, 1>, View<double, 1>);
}  // namespace sobolev
