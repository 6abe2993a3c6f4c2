// SPDX-License-Identifier: Apache-2.0
#pragma once
// One axis of a truncated transform, as the kernels of the CPU get it.
#include <cstddef>

#include "kernels/common/dispatch.hpp"

namespace sobolev::detail {

/// [outer, points, inner, 2, channels] <-> [outer, modes, inner, 2, channels]; real: [outer, points,
/// channels] <-> [outer, modes, 2, channels]. The members of AxisShape, as plain numbers.
template <class T>
struct AxisTask {
  const T* table;
  std::size_t points, folded, even, odd;  // even + odd = magnitudes
  int low, high, resolved_low, resolved_high;
  bool halves, real, add;
  std::size_t outer, inner, channels;
};

}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    /// Numbers that a thread needs beside the task.
    template <class T> std::size_t axis_scratch(std::size_t magnitudes);
    /// Rows of a block of the synthesis' table.
    template <class T> int axis_block_points();
    /// Units of work: pairs of real rows, or complex columns, times vectors of channels.
    template <class T> std::size_t axis_units(const detail::AxisTask<T>& task);
    template <class T> void axis_to_modes_range(const detail::AxisTask<T>& task, const T* x, T* v,
                                                std::size_t first, std::size_t last, T* scratch);
    template <class T> void axis_to_points_range(const detail::AxisTask<T>& task, const T* v, T* x,
                                                 std::size_t first, std::size_t last, T* scratch);)
