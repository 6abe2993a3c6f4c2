// SPDX-License-Identifier: Apache-2.0
// A = UᵀU in place and the solution of UᵀUx = b.                                  a : [P, P]
// Rows in blocks of 64, each in three kernels: the diagonal block by one block in shared memory, the block
// row right of it (a block per 64 columns), the trailing matrix (syrk_block.hpp). FLOPs P³/3, of which all
// but P²·64 in the trailing updates: bound by the FMA units for large P, by 3·P/64 launches and the diagonal
// blocks (about 10 µs each) for P below some thousands. The triangular solves read P² elements by one block:
// bound by what one multiprocessor can load. Large matrices go to cuSOLVER (cholesky_cusolver.cu).
#include "kernels/common/cuda.hpp"
#include "kernels/linalg/linalg_library.hpp"
#include "kernels/linalg/symmetric_shapes.hpp"
#include "kernels/linalg/syrk_block.hpp"
#include "sobolev/linalg/cholesky.hpp"

namespace sobolev {
namespace {
constexpr int block = 64, pitch = block + 1, side = 16, threads = side * side;

/// The diagonal block at (k, k), of `n` rows. *failed becomes 1 when a pivot is not positive.
template <class T>
__global__ void __launch_bounds__(threads) factor_kernel(View<T, 2> a, std::size_t k, int n, int* failed) {
  SOBOLEV_SHARED(T, u, block * pitch);
  const int x = int(threadIdx.x), y = int(threadIdx.y), me = y * side + x;
  for (int i = me; i < n * n; i += threads)
    u[i / n * pitch + i % n] = a(k + std::size_t(i / n), k + std::size_t(i % n));
  for (int j = 0; j < n; ++j) {
    __syncthreads();
    const T pivot = u[j * pitch + j];
    const bool positive = pivot > T(0) && pivot - pivot == T(0);  // neither NaN nor infinite
    const T root = positive ? sqrt(pivot) : T(1);
    __syncthreads();
    if (me == 0) {
      u[j * pitch + j] = root;
      if (!positive) *failed = 1;
    }
    for (int c = j + 1 + me; c < n; c += threads) u[j * pitch + c] /= root;
    __syncthreads();
    for (int r = j + 1 + y; r < n; r += side)
      for (int c = j + 1 + x; c < n; c += side)
        if (c >= r) u[r * pitch + c] -= u[j * pitch + r] * u[j * pitch + c];
  }
  __syncthreads();
  for (int i = me; i < n * n; i += threads)
    if (i % n >= i / n) a(k + std::size_t(i / n), k + std::size_t(i % n)) = u[i / n * pitch + i % n];
}

/// X = U⁻ᵀ X for the `block` columns from k + block · (blockIdx.x + 1) on.
template <class T>
__global__ void __launch_bounds__(threads) panel_kernel(View<T, 2> a, std::size_t k) {
  T* u = dynamic_shared<T>();
  T* x = u + block * pitch;
  const int me = int(threadIdx.y) * side + int(threadIdx.x), column = me % block;
  const std::size_t first = k + std::size_t(block) * (blockIdx.x + 1);
  const int n = a.extent(1) - first < std::size_t(block) ? int(a.extent(1) - first) : block;
  for (int i = me; i < block * block; i += threads) {
    const int r = i / block, c = i % block;
    u[r * pitch + c] = a(k + std::size_t(r), k + std::size_t(c));
    x[r * pitch + c] = c < n ? a(k + std::size_t(r), first + std::size_t(c)) : T(0);
  }
  for (int j = 0; j < block; ++j) {
    __syncthreads();
    if (me < block) x[j * pitch + column] /= u[j * pitch + j];
    __syncthreads();
    for (int r = j + 1 + me / block; r < block; r += threads / block)
      x[r * pitch + column] -= u[j * pitch + r] * x[j * pitch + column];
  }
  __syncthreads();
  for (int i = me; i < block * block; i += threads)
    if (i % block < n)
      a(k + std::size_t(i / block), first + std::size_t(i % block)) = x[i / block * pitch + i % block];
}

/// The matrix beyond block row k loses the products of that row.
template <class T>
__global__ void __launch_bounds__(threads) trailing_kernel(View<T, 2> a, std::size_t k) {
  constexpr std::size_t tile = target_cuda::SyrkBlock<T>::tile;
  if (blockIdx.x < blockIdx.y) return;
  const std::size_t p = a.extent(1), first = k + block;
  target_cuda::syrk_tile<T, -1>(&a(k, first), p, block, p - first, blockIdx.y * tile, blockIdx.x * tile,
                                &a(first, first), p);
}

/// x = U⁻¹ U⁻ᵀ x by one block.
template <class T>
__global__ void __launch_bounds__(threads) solve_kernel(View<const T, 2> u, View<T, 1> x) {
  SOBOLEV_SHARED(T, part, block);
  const int me = int(threadIdx.x);
  const std::size_t p = x.size();
  const std::size_t blocks = (p + block - 1) / block;
  for (std::size_t b = 0; b < blocks; ++b) {  // Uᵀ y = x
    const std::size_t k = b * block;
    const int n = p - k < std::size_t(block) ? int(p - k) : block;
    __syncthreads();
    if (me < n) part[me] = x(k + std::size_t(me));
    for (int j = 0; j < n; ++j) {
      __syncthreads();
      if (me == j) part[j] /= u(k + std::size_t(j), k + std::size_t(j));
      __syncthreads();
      if (me > j && me < n) part[me] -= u(k + std::size_t(j), k + std::size_t(me)) * part[j];
    }
    __syncthreads();
    if (me < n) x(k + std::size_t(me)) = part[me];
    for (std::size_t i = k + std::size_t(n + me); i < p; i += threads) {
      T sum = x(i);
      for (int j = 0; j < n; ++j) sum -= u(k + std::size_t(j), i) * part[j];
      x(i) = sum;
    }
  }
  for (std::size_t b = blocks; b-- > 0;) {  // U x = y
    const std::size_t k = b * block;
    const int n = p - k < std::size_t(block) ? int(p - k) : block, lane = me % 32;
    __syncthreads();
    for (int r = me / 32; r < n; r += threads / 32) {  // a warp per row
      T sum = T(0);
      for (std::size_t i = k + std::size_t(n + lane); i < p; i += 32) sum += u(k + std::size_t(r), i) * x(i);
      for (unsigned by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffffu, sum, by);
      if (lane == 0) part[r] = x(k + std::size_t(r)) - sum;
    }
    for (int j = n; j-- > 0;) {
      __syncthreads();
      if (me == j) part[j] /= u(k + std::size_t(j), k + std::size_t(j));
      __syncthreads();
      if (me < j) part[me] -= u(k + std::size_t(me), k + std::size_t(j)) * part[j];
    }
    __syncthreads();
    if (me < n) x(k + std::size_t(me)) = part[me];
  }
}
}  // namespace

namespace {
template <class T>
bool factor(const Cuda& cuda, View<T, 2> a) {
  const std::size_t p = a.extent(0);
  if (p == 0) return true;
  constexpr unsigned tile = target_cuda::SyrkBlock<T>::tile;
  int* const failed = static_cast<int*>(cuda.scalar());
  clear<int, 1>(cuda, View<int, 1>(failed, 1));
  for (std::size_t k = 0; k < p; k += block) {
    const std::size_t n = p - k < std::size_t(block) ? p - k : block, rest = p - k - n;
    launch<factor_kernel<T>>(cuda, {1, {side, side}}, a, k, int(n), failed);
    if (rest == 0) break;
    const unsigned tiles = unsigned((rest + tile - 1) / tile);
    launch<panel_kernel<T>>(
        cuda, {unsigned((rest + block - 1) / block), {side, side}, 2 * block * pitch * sizeof(T)}, a, k);
    launch<trailing_kernel<T>>(cuda, {{tiles, tiles}, {side, side}}, a, k);
  }
  int answer = 0;
  download<int, 1>(cuda, View<const int, 1>(failed, 1), View<int, 1>(&answer, 1));
  return answer == 0;
}
}  // namespace

template <class T>
bool cholesky(const Cuda& cuda, View<T, 2> a, View<T, 1> scratch) {
  detail::check_cholesky_shapes(a.shape());
  require(scratch.size() >= cholesky_scratch<T>(cuda, a.extent(0)),
          "cholesky: the scratch memory is too small");
  if constexpr (detail::have_libraries)
    if (detail::cholesky_by_library(cuda, a.extent(0))) return detail::cholesky_cusolver<T>(cuda, a, scratch);
  return factor<T>(cuda, a);
}
template <class T>
bool cholesky(const Cuda& cuda, View<T, 2> a) {
  detail::check_cholesky_shapes(a.shape());
  const DeviceBuffer<T> scratch(cuda, cholesky_scratch<T>(cuda, a.extent(0)));
  return cholesky<T>(cuda, a, View<T, 1>(scratch.data(), scratch.size()));
}
template <class T>
std::size_t cholesky_scratch(const Cuda& cuda, std::size_t p) {
  if constexpr (detail::have_libraries)
    if (detail::cholesky_by_library(cuda, p)) return detail::cholesky_cusolver_scratch<T>(cuda, p);
  return 0;
}

template <class T>
void cholesky_solve(const Cuda& cuda, View<const T, 2> u, View<T, 1> b) {
  detail::check_cholesky_solve_shapes(u.shape(), b.size());
  if (b.size() == 0) return;
  if constexpr (detail::have_libraries)
    if (detail::cholesky_by_library(cuda, b.size())) return detail::cholesky_solve_cusolver<T>(cuda, u, b);
  launch<solve_kernel<T>>(cuda, {1, threads}, u, b);
}

template bool cholesky<float>(const Cuda&, View<float, 2>);
template bool cholesky<double>(const Cuda&, View<double, 2>);
template bool cholesky<float>(const Cuda&, View<float, 2>, View<float, 1>);
template bool cholesky<double>(const Cuda&, View<double, 2>, View<double, 1>);
template std::size_t cholesky_scratch<float>(const Cuda&, std::size_t);
template std::size_t cholesky_scratch<double>(const Cuda&, std::size_t);
template void cholesky_solve<float>(const Cuda&, View<const float, 2>, View<float, 1>);
template void cholesky_solve<double>(const Cuda&, View<const double, 2>, View<double, 1>);
}  // namespace sobolev
