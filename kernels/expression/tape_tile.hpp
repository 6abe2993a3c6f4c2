// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tape on one tile of points, for the fused kernels.
#include <cstdint>

#include "kernels/common/dispatch.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev::detail {

/// The part of a Tape that kernels read.
struct TapeView {
  std::int32_t inputs = 0, instruction_count = 0, output_count = 0;
  const TapeInstruction* instructions = nullptr;
  const std::int32_t* outputs = nullptr;
  TapeView() = default;
  explicit TapeView(const Tape& tape)
      : inputs(tape.inputs),
        instruction_count(std::int32_t(tape.instructions.size())),
        output_count(std::int32_t(tape.outputs.size())),
        instructions(tape.instructions.data()),
        outputs(tape.outputs.data()) {}
  __attribute__((always_inline)) std::int32_t registers() const { return inputs + instruction_count; }
};
}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    /// registers : [inputs + instruction_count, stride], rows 0 … inputs−1 filled by the caller up to stride
    /// (finite padding). stride is a multiple of 64 / sizeof(T), n ≤ stride, rows are 64-byte aligned.
    template <class T> void tape_forward_tile(const detail::TapeView& tape, T* registers, int stride, int n);
    /// Reverse sweep after tape_forward_tile on the same registers. adjoints has the registers' shape; the
    /// caller has cleared it and added the seeds to the outputs' rows. Afterwards the inputs' rows hold x̄.
    template <class T>
    void tape_reverse_tile(const detail::TapeView& tape, const T* registers, T* adjoints, int stride, int n);)
