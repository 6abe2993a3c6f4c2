// SPDX-License-Identifier: Apache-2.0
// Complex products of channels, mode by mode, and their adjoints.   v : [B, M, 2, C], r : [M, 2, C, O], w :
// [B, M, 2, O] A thread takes a mode: its weights are read from memory once, a vector of them serves a
// register block of six samples (channels in the weights' adjoint). 8 B M C O FLOPs; moves 2 M C O + 2 B M (C
// + O) numbers: bound by memory below a batch of about 8, by the FMA units above.
#include "sobolev/spectral/mode_product.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// out(row) = Σ_t in(row, t) f(t) for complex rows, conj f with conjugate; arrays as pairs of pointers,
    /// real and imaginary: in : [rows][terms], steps from row to row; f : [terms][columns]; out :
    /// [rows][columns].
    template <class T>
    void complex_rows_product(bool conjugate, const T* in, std::size_t in_step, std::size_t in_imaginary,
                              const T* f, std::size_t f_imaginary, std::size_t rows, std::size_t terms,
                              std::size_t columns, T* out, std::size_t out_step, std::size_t out_imaginary);
    /// out(c, o) += Σ_b conj left(b, c) right(b, o).
    template <class T>
    void complex_outer_sum(const T* left, std::size_t left_step, std::size_t left_imaginary, const T* right,
                           std::size_t right_step, std::size_t right_imaginary, std::size_t batch,
                           std::size_t rows, std::size_t columns, T* out, std::size_t out_imaginary);
    /// to : [columns][rows], real and imaginary part apart.
    template <class T> void complex_transpose(const T* from, std::size_t rows, std::size_t columns, T* to);)

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int block_rows = simd_registers >= 32 ? 6 : 4;

template <class T, int n, bool conjugate>
SOBOLEV_INLINE void rows_block(const T* in, std::size_t in_step, std::size_t in_imaginary, const T* f,
                               std::size_t f_imaginary, std::size_t terms, std::size_t columns, int room,
                               T* out, std::size_t out_step, std::size_t out_imaginary) {
  Vec<T> re[n] = {}, im[n] = {};
  for (std::size_t t = 0; t < terms; ++t) {
    const Vec<T> f_re = load_part<T>(f + t * columns, room),
                 f_im = load_part<T>(f + f_imaginary + t * columns, room);
#pragma GCC unroll 6
    for (int r = 0; r < n; ++r) {
      const T* at = in + std::size_t(r) * in_step + t;
      const Vec<T> a_re = broadcast<T>(at[0]), a_im = broadcast<T>(at[in_imaginary]);
      re[r] += a_re * f_re;
      im[r] += a_im * f_re;
      if constexpr (conjugate) {
        re[r] += a_im * f_im;
        im[r] -= a_re * f_im;
      } else {
        re[r] -= a_im * f_im;
        im[r] += a_re * f_im;
      }
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < n; ++r) {
    store_part<T>(out + std::size_t(r) * out_step, re[r], room);
    store_part<T>(out + std::size_t(r) * out_step + out_imaginary, im[r], room);
  }
}

/// c(row, ·) += Σ_b conj left(b, row) right(b, ·) for n rows.
template <class T, int n>
SOBOLEV_INLINE void outer_block(const T* left, std::size_t left_step, std::size_t left_imaginary,
                                const T* right, std::size_t right_step, std::size_t right_imaginary,
                                std::size_t batch, std::size_t columns, int room, T* out,
                                std::size_t out_imaginary) {
  Vec<T> re[n], im[n];
#pragma GCC unroll 6
  for (int r = 0; r < n; ++r) {
    re[r] = load_part<T>(out + std::size_t(r) * columns, room);
    im[r] = load_part<T>(out + out_imaginary + std::size_t(r) * columns, room);
  }
  for (std::size_t b = 0; b < batch; ++b) {
    const T *at = left + b * left_step, *from = right + b * right_step;
    const Vec<T> f_re = load_part<T>(from, room), f_im = load_part<T>(from + right_imaginary, room);
#pragma GCC unroll 6
    for (int r = 0; r < n; ++r) {
      const Vec<T> a_re = broadcast<T>(at[r]), a_im = broadcast<T>(at[left_imaginary + std::size_t(r)]);
      re[r] += a_re * f_re;
      re[r] += a_im * f_im;
      im[r] += a_re * f_im;
      im[r] -= a_im * f_re;
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < n; ++r) {
    store_part<T>(out + std::size_t(r) * columns, re[r], room);
    store_part<T>(out + out_imaginary + std::size_t(r) * columns, im[r], room);
  }
}

/// f(n rows, first row) for blocks of rows.
template <class F>
SOBOLEV_INLINE void for_blocks(std::size_t rows, const F& f) {
  std::size_t r = 0;
  for (; r + block_rows <= rows; r += block_rows) f(std::integral_constant<int, block_rows>{}, r);
  for (; r + 2 <= rows; r += 2) f(std::integral_constant<int, 2>{}, r);
  if (r < rows) f(std::integral_constant<int, 1>{}, r);
}
template <class T>
SOBOLEV_INLINE int room_at(std::size_t columns, std::size_t o) {
  return columns - o < std::size_t(lanes<T>) ? int(columns - o) : lanes<T>;
}

template <class T, bool conjugate>
SOBOLEV_INLINE void rows_product(const T* in, std::size_t in_step, std::size_t in_imaginary, const T* f,
                                 std::size_t f_imaginary, std::size_t rows, std::size_t terms,
                                 std::size_t columns, T* out, std::size_t out_step,
                                 std::size_t out_imaginary) {
  for (std::size_t o = 0; o < columns; o += lanes<T>) {
    const auto product = [&](int room) __attribute__((always_inline)) {
      for_blocks(
          rows, [&](auto n, std::size_t r) __attribute__((always_inline)) {
            rows_block<T, decltype(n)::value, conjugate>(in + r * in_step, in_step, in_imaginary, f + o,
                                                         f_imaginary, terms, columns, room,
                                                         out + r * out_step + o, out_step, out_imaginary);
          });
    };
    const int room = room_at<T>(columns, o);
    room == lanes<T> ? product(lanes<T>) : product(room);
  }
}
}  // namespace

template <class T>
void complex_rows_product(bool conjugate, const T* in, std::size_t in_step, std::size_t in_imaginary,
                          const T* f, std::size_t f_imaginary, std::size_t rows, std::size_t terms,
                          std::size_t columns, T* out, std::size_t out_step, std::size_t out_imaginary) {
  if (conjugate)
    rows_product<T, true>(in, in_step, in_imaginary, f, f_imaginary, rows, terms, columns, out, out_step,
                          out_imaginary);
  else
    rows_product<T, false>(in, in_step, in_imaginary, f, f_imaginary, rows, terms, columns, out, out_step,
                           out_imaginary);
}

template <class T>
void complex_outer_sum(const T* left, std::size_t left_step, std::size_t left_imaginary, const T* right,
                       std::size_t right_step, std::size_t right_imaginary, std::size_t batch,
                       std::size_t rows, std::size_t columns, T* out, std::size_t out_imaginary) {
  for (std::size_t o = 0; o < columns; o += lanes<T>) {
    const auto sum = [&](int room) __attribute__((always_inline)) {
      for_blocks(
          rows, [&](auto n, std::size_t r) __attribute__((always_inline)) {
            outer_block<T, decltype(n)::value>(left + r, left_step, left_imaginary, right + o, right_step,
                                               right_imaginary, batch, columns, room, out + r * columns + o,
                                               out_imaginary);
          });
    };
    const int room = room_at<T>(columns, o);
    room == lanes<T> ? sum(lanes<T>) : sum(room);
  }
}

template <class T>
void complex_transpose(const T* from, std::size_t rows, std::size_t columns, T* to) {
  for (int part = 0; part < 2; ++part, from += rows * columns, to += rows * columns)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template void complex_rows_product<T>(bool, const T*, std::size_t, std::size_t, const T*, std::size_t,     \
                                        std::size_t, std::size_t, std::size_t, T*, std::size_t,              \
                                        std::size_t);                                                        \
  template void complex_outer_sum<T>(const T*, std::size_t, std::size_t, const T*, std::size_t, std::size_t, \
                                     std::size_t, std::size_t, std::size_t, T*, std::size_t);                \
  template void complex_transpose<T>(const T*, std::size_t, std::size_t, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <omp.h>

#include "kernels/common/threads.hpp"
#include "kernels/linalg/scratch.hpp"
#include "kernels/spectral/mode_product_shapes.hpp"

namespace sobolev {
namespace {
int threads_of(const Cpu& cpu, const detail::ModeProductShape& s) {
  return detail::threads_for(cpu, 8 * double(s.batch * s.modes) * double(s.inputs * s.outputs));
}
}  // namespace

template <class T>
void mode_product(const Cpu& cpu, View<const T, 4> v, View<const T, 4> r, View<T, 4> w) {
  const auto s = detail::mode_product_shape("mode_product", v.shape(), r.shape(), w.shape());
  const std::size_t weights = s.inputs * s.outputs;
#pragma omp parallel for num_threads(threads_of(cpu, s)) schedule(static)
  for (std::size_t k = 0; k < s.modes; ++k)
    SOBOLEV_CALL(complex_rows_product<T>, false, v.data() + k * 2 * s.inputs, s.modes * 2 * s.inputs,
                 s.inputs, r.data() + k * 2 * weights, weights, s.batch, s.inputs, s.outputs,
                 w.data() + k * 2 * s.outputs, s.modes * 2 * s.outputs, s.outputs);
}

template <class T>
void mode_product_input_adjoint(const Cpu& cpu, View<const T, 4> w_bar, View<const T, 4> r,
                                View<T, 4> v_bar) {
  const auto s =
      detail::mode_product_shape("mode_product_input_adjoint", v_bar.shape(), r.shape(), w_bar.shape());
  const std::size_t weights = s.inputs * s.outputs;
  const int threads = threads_of(cpu, s);
  detail::Scratch<T> turned(std::size_t(threads) * 2 * weights);  // weights of a mode as [2, O, C]
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t k = 0; k < s.modes; ++k) {
    T* const own = turned.data() + std::size_t(omp_get_thread_num()) * 2 * weights;
    SOBOLEV_CALL(complex_transpose<T>, r.data() + k * 2 * weights, s.inputs, s.outputs, own);
    SOBOLEV_CALL(complex_rows_product<T>, true, w_bar.data() + k * 2 * s.outputs, s.modes * 2 * s.outputs,
                 s.outputs, own, weights, s.batch, s.outputs, s.inputs, v_bar.data() + k * 2 * s.inputs,
                 s.modes * 2 * s.inputs, s.inputs);
  }
}

template <class T>
void mode_product_weight_adjoint(const Cpu& cpu, View<const T, 4> v, View<const T, 4> w_bar,
                                 View<T, 4> r_bar) {
  const auto s =
      detail::mode_product_shape("mode_product_weight_adjoint", v.shape(), r_bar.shape(), w_bar.shape());
  const std::size_t weights = s.inputs * s.outputs;
#pragma omp parallel for num_threads(threads_of(cpu, s)) schedule(static)
  for (std::size_t k = 0; k < s.modes; ++k)
    SOBOLEV_CALL(complex_outer_sum<T>, v.data() + k * 2 * s.inputs, s.modes * 2 * s.inputs, s.inputs,
                 w_bar.data() + k * 2 * s.outputs, s.modes * 2 * s.outputs, s.outputs, s.batch, s.inputs,
                 s.outputs, r_bar.data() + k * 2 * weights, weights);
}

#define SOBOLEV_INSTANTIATE(T)                                                                             \
  template void mode_product<T>(const Cpu&, View<const T, 4>, View<const T, 4>, View<T, 4>);               \
  template void mode_product_input_adjoint<T>(const Cpu&, View<const T, 4>, View<const T, 4>, View<T, 4>); \
  template void mode_product_weight_adjoint<T>(const Cpu&, View<const T, 4>, View<const T, 4>, View<T, 4>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
