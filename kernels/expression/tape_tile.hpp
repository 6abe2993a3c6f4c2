// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tape on one tile of points, for the fused kernels of the same instruction set.
#include "kernels/common/simd.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// The part of a Tape that kernels read.
struct TapeView {
  std::int32_t inputs, instruction_count, output_count;
  const TapeInstruction* instructions;
  const std::int32_t* outputs;
};

/// registers : [inputs + instruction_count, stride], rows 0 … inputs−1 filled by the caller for
/// points 0 … n−1; stride >= n rounded up to a multiple of lanes<T>; the padding holds any finite values.
/// 64-byte aligned rows (stride a multiple of 64 / sizeof(T)).
template <class T>
void tape_forward_tile(const TapeView& tape, T* registers, int stride, int n);

/// Reverse sweep after tape_forward_tile on the same registers. adjoints has the shape of registers;
/// the caller has zeroed it and then added the seeds to the rows of the outputs. Afterwards the rows
/// of the inputs hold x̄.
template <class T>
void tape_reverse_tile(const TapeView& tape, const T* registers, T* adjoints, int stride, int n);

}  // namespace sobolev::SOBOLEV_TARGET
