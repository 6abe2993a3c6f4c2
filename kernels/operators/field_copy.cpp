// SPDX-License-Identifier: Apache-2.0
// A box of one field becomes, or is added to, a box of another.                       fields : [B, N, C]
// Rows of the last axis by threads. Moves 2 (with add 3) numbers per number of the box: bound by memory.
#include "sobolev/operators/field_copy.hpp"

#include "kernels/common/dispatch.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// to[i][c] (+)= from[i][c] for n points; steps from point to point.
    template <class T> void copy_points(const T* from, std::size_t from_step, T* to, std::size_t to_step,
                                        std::size_t n, std::size_t channels, bool add);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
void copy_points(const T* from, std::size_t from_step, T* to, std::size_t to_step, std::size_t n,
                 std::size_t channels, bool add) {
  if (from_step == channels && to_step == channels) {
    channels *= n;
    n = 1;
  }
  for (std::size_t i = 0; i < n; ++i, from += from_step, to += to_step) {
    if (add) {
#pragma omp simd
      for (std::size_t c = 0; c < channels; ++c) to[c] += from[c];
    } else {
      __builtin_memcpy(to, from, channels * sizeof(T));
    }
  }
}
template void copy_points<float>(const float*, std::size_t, float*, std::size_t, std::size_t, std::size_t,
                                 bool);
template void copy_points<double>(const double*, std::size_t, double*, std::size_t, std::size_t, std::size_t,
                                  bool);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include "kernels/common/threads.hpp"
#include "kernels/operators/field_copy_shapes.hpp"

namespace sobolev {
template <class T>
void field_copy(const Cpu& cpu, View<const T, 3> from, const FieldBox& from_box, View<T, 3> to,
                const FieldBox& to_box, const Extents<3>& box, std::size_t channels, bool add) {
  detail::check_field_copy(from.shape(), from_box, to.shape(), to_box, box, channels);
  const std::size_t rows = to.extent(0) * box[0] * box[1];
  const auto start = [](const auto& field, const FieldBox& at, std::size_t b, std::size_t i, std::size_t j) {
    const std::size_t sample = field.extent(0) == 1 ? 0 : b;
    const std::size_t point =
        ((sample * at.grid[0] + at.first[0] + i) * at.grid[1] + at.first[1] + j) * at.grid[2] + at.first[2];
    return field.data() + point * field.extent(2) + at.channel;
  };
#pragma omp parallel for num_threads(detail::threads_for(cpu, double(rows * box[2] * channels))) \
    schedule(static)
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t j = r % box[1], i = r / box[1] % box[0], b = r / box[1] / box[0];
    SOBOLEV_CALL(copy_points<T>, start(from, from_box, b, i, j), from.extent(2), start(to, to_box, b, i, j),
                 to.extent(2), box[2], channels, add);
  }
}
template void field_copy<float>(const Cpu&, View<const float, 3>, const FieldBox&, View<float, 3>,
                                const FieldBox&, const Extents<3>&, std::size_t, bool);
template void field_copy<double>(const Cpu&, View<const double, 3>, const FieldBox&, View<double, 3>,
                                 const FieldBox&, const Extents<3>&, std::size_t, bool);
}  // namespace sobolev
#endif
