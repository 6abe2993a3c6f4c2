// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "sobolev/expression/tape.hpp"

namespace sobolev::detail {

/// The part of a Tape that kernels read.
struct TapeView {
  std::int32_t inputs = 0, instruction_count = 0, output_count = 0;
  const TapeInstruction* instructions = nullptr;
  const std::int32_t* outputs = nullptr;
  constexpr TapeView() = default;
  explicit TapeView(const Tape& tape)
      : inputs(tape.inputs),
        instruction_count(std::int32_t(tape.instructions.size())),
        output_count(std::int32_t(tape.outputs.size())),
        instructions(tape.instructions.data()),
        outputs(tape.outputs.data()) {}
  inline __attribute__((always_inline)) constexpr std::int32_t registers() const {
    return inputs + instruction_count;
  }
};
}  // namespace sobolev::detail
