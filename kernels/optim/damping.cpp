// SPDX-License-Identifier: Apache-2.0
// The damped matrix of a Levenberg–Marquardt trial.      matrix : [P, P], diagonal : [P], out : [Q, Q]
// Row by row; P²·sizeof(T) bytes: bandwidth bound, a few per cent of the factorisation that follows.
#include "sobolev/optim/damping.hpp"

#include "kernels/common/dispatch.hpp"

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/optim/damping_shapes.hpp"

namespace sobolev {
template <class T>
void damping_diagonal(const Cpu&, View<const T, 2> matrix, T floor, View<T, 1> diagonal) {
  detail::check_damping_diagonal(matrix.shape(), diagonal.size());
  const std::size_t p = diagonal.size();
  T largest = 0;
  for (std::size_t i = 0; i < p; ++i) largest = std::max(largest, matrix(i, i));
  for (std::size_t i = 0; i < p; ++i) diagonal(i) = std::max(matrix(i, i), floor * largest);
}

template <class T>
void damped_matrix(const Cpu& cpu, View<const T, 2> matrix, View<const T, 1> diagonal, T damping,
                   View<T, 2> out) {
  detail::check_damped_matrix(matrix.shape(), diagonal.size(), out.shape());
  const std::size_t p = diagonal.size(), n = out.extent(0);
  const int threads = detail::threads_for(cpu, double(n) * double(n));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t i = 0; i < n; ++i) {
    T* row = out.data() + i * n;
    if (i < p) std::copy(matrix.data() + i * p + i, matrix.data() + (i + 1) * p, row + i);
    std::fill(row + std::max(i, p), row + n, T(0));
    row[i] = i < p ? row[i] + damping * diagonal(i) : T(1);
  }
}
template void damping_diagonal<float>(const Cpu&, View<const float, 2>, float, View<float, 1>);
template void damping_diagonal<double>(const Cpu&, View<const double, 2>, double, View<double, 1>);
template void damped_matrix<float>(const Cpu&, View<const float, 2>, View<const float, 1>, float,
                                   View<float, 2>);
template void damped_matrix<double>(const Cpu&, View<const double, 2>, View<const double, 1>, double,
                                    View<double, 2>);
}  // namespace sobolev
#endif
