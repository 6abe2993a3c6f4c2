// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first.
#include <fmt/format.h>

#include "sobolev/core/error.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev::detail {

template <class T>
void check_tape_shapes(const Tape& tape, View<const T, 2> x, View<const T, 2> y) {
  if (x.extent(0) == std::size_t(tape.inputs) && y.extent(0) == tape.outputs.size() &&
      x.extent(1) == y.extent(1))
    return;
  throw ArgumentError(
      fmt::format("tape: x is [{}, {}] and y is [{}, {}] but the tape has {} inputs and {} outputs",
                  x.extent(0), x.extent(1), y.extent(0), y.extent(1), tape.inputs, tape.outputs.size()));
}

template <class T>
void check_tape_adjoints(View<const T, 2> x, View<const T, 2> y, View<const T, 2> y_bar, View<const T, 2> x_bar) {
  require(y_bar.shape() == y.shape() && x_bar.shape() == x.shape(),
          "tape: adjoints must have the shapes of x and y");
}

}  // namespace sobolev::detail
