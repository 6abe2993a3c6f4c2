// SPDX-License-Identifier: Apache-2.0
#include "kernels/expression/tape_shapes.hpp"

#include <fmt/format.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

void check_tape_shapes(const Tape& tape, const Extents<2>& x, const Extents<2>& y) {
  if (x[0] == std::size_t(tape.inputs) && y[0] == tape.outputs.size() && x[1] == y[1]) return;
  throw ArgumentError(
      fmt::format("tape: x is [{}, {}] and y is [{}, {}] but the tape has {} inputs and {} outputs", x[0],
                  x[1], y[0], y[1], tape.inputs, tape.outputs.size()));
}

void check_tape_adjoints(const Extents<2>& x, const Extents<2>& y, const Extents<2>& y_bar,
                         const Extents<2>& x_bar) {
  require(y_bar == y && x_bar == x, "tape: adjoints must have the shapes of x and y");
}

}  // namespace sobolev::detail
