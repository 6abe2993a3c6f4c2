// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernels/expression/tape_view.hpp"
#include "sobolev/core/cuda.hpp"

namespace sobolev::detail {

/// A tape in device memory.
class DeviceTape {
 public:
  DeviceTape(const Cuda& cuda, const Tape& tape)
      : view_(tape), instructions_(cuda, tape.instructions.size()), outputs_(cuda, tape.outputs.size()) {
    const std::size_t n = tape.instructions.size(), m = tape.outputs.size();
    upload<TapeInstruction, 1>(cuda, View<const TapeInstruction, 1>(view_.instructions, n),
                               instructions_.view(n));
    upload<std::int32_t, 1>(cuda, View<const std::int32_t, 1>(view_.outputs, m), outputs_.view(m));
    view_.instructions = instructions_.data();
    view_.outputs = outputs_.data();
  }
  TapeView view() const { return view_; }

 private:
  TapeView view_;
  DeviceBuffer<TapeInstruction> instructions_;
  DeviceBuffer<std::int32_t> outputs_;
};

}  // namespace sobolev::detail
