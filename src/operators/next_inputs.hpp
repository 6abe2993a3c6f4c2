// SPDX-License-Identifier: Apache-2.0
#pragma once
// From one step of a roll-out to the next, on either executor.
#include "sobolev/operators/field_copy.hpp"
#include "src/operators/operator_layout.hpp"

namespace sobolev::detail {

/// The inputs of the next step, of those of this one and of its output; and what the adjoint of them adds to
/// that of the output or of the inputs. All [B, N, channels].
template <class T, class E>
void next_inputs(const E& executor, const OperatorLayout& layout, View<const T, 3> x, View<const T, 3> y,
                 View<T, 3> next) {
  const Extents<3> line{1, 1, x.extent(1)};
  for (const OperatorLayout::Copy& c : layout.next)
    field_copy<T>(executor, c.of_output ? y : x, {line, {0, 0, 0}, c.from}, next, {line, {0, 0, 0}, c.to},
                  line, c.count, false);
}
template <class T, class E>
void next_inputs_adjoint(const E& executor, const OperatorLayout& layout, View<const T, 3> next_bar,
                         bool of_output, View<T, 3> bar) {
  const Extents<3> line{1, 1, next_bar.extent(1)};
  for (const OperatorLayout::Copy& c : layout.next)
    if (c.of_output == of_output)
      field_copy<T>(executor, next_bar, {line, {0, 0, 0}, c.to}, bar, {line, {0, 0, 0}, c.from}, line,
                    c.count, true);
}

}  // namespace sobolev::detail
