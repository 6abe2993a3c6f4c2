// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "sobolev/operators/operator_model.hpp"

namespace sobolev::detail {

/// Which numbers of a file the channels of a model are. A part is read together, its names channel after
/// channel: inputs and outputs are one each; of a roll-out, which needs all times, both are one. A window of
/// a sample begins so many times later.
struct OperatorLayout {
  struct Part {
    std::vector<std::string> names;
    std::size_t channels = 0;
    std::vector<std::size_t> group;  // of each channel: those of a group are one quantity
  };
  struct Channel {
    std::size_t at;      // in its part, of window 0
    bool moves = false;  // with the window
  };
  /// Inputs of the next step: those of this one, or an output of it.
  struct Copy {
    bool of_output;
    std::size_t from, to, count;  // channels
  };

  std::vector<Part> parts;
  std::vector<Channel> inputs, outputs;  // of the model
  std::size_t output_part = 0;           // inputs are of the first one
  std::size_t steps = 1;                 // times of the outputs that are made one after another
  std::vector<Copy> next;                // empty: no roll-out
};

/// ArgumentError where data.rollout asks for what the names do not give.
OperatorLayout layout_of(const OperatorFile& file);
/// What keys of a model file need of each other; ParseError.
void check_together(const OperatorFile& file);

}  // namespace sobolev::detail
