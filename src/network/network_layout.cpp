// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/network/network_tile.hpp"

namespace sobolev::detail {

template <class T>
NetworkLayout<T>::NetworkLayout(const Network& network) : outputs_(network.outputs()) {
  const NetworkPlan plan(network);
  const int lanes = SOBOLEV_CALL(network_lanes<T>);
  // One width of panels for all slots, with the least padding first; 2 and 3 vectors fill the registers
  // better than 1.
  vectors_ = 0;
  double best_cost = 0;
  for (int nv : {2, 3, 1}) {
    double cost = 0;
    for (const NetworkStep& step : plan.steps) {
      if (step.kind != Instruction::Kind::dense) continue;
      const int vectors = (step.fan_out + lanes - 1) / lanes, padded = (vectors + nv - 1) / nv * nv;
      cost += padded * (nv == 1 ? 1.2 : 1.0) * step.fan_in;
    }
    if (vectors_ == 0 || cost < best_cost) {
      vectors_ = nv;
      best_cost = cost;
    }
  }
  width_ = vectors_ * lanes;
  const std::size_t width = std::size_t(width_);
  const auto panels = [&](int features) { return (features + width_ - 1) / width_; };

  for (const NetworkSlot& s : plan.slots) {
    SlotLayout slot{{s}, panels(s.features), 0, 0, std::size_t(panels(s.features)) * width};
    if (!slots_.empty()) {
      slot.y = slot.z = columns_;
      columns_ += slot.padded;
      if (s.activated && !slope_from_output(s.activation)) {
        slot.z = columns_;
        columns_ += slot.padded;
      }
    }
    slots_.push_back(slot);
  }
  for (int features : plan.adjoint_features) {
    adjoint_at_.push_back(columns_);
    columns_ += std::size_t(panels(features)) * width;
  }

  const auto take = [](std::size_t& at, std::size_t n) {
    constexpr std::size_t line = 64 / sizeof(T);
    const std::size_t begin = at;
    at += (n + line - 1) / line * line;
    return begin;
  };
  for (const NetworkStep& s : plan.steps) {
    StepLayout step{{s}, 0, 0, 0, 0, 0, 0, 0, 0};
    const SlotLayout& in = slots_[std::size_t(s.in[0])];
    const std::size_t fan_in = std::size_t(s.fan_in), fan_out = std::size_t(s.fan_out);
    switch (s.kind) {
      case Instruction::Kind::dense: {
        const std::size_t padded = slots_[std::size_t(s.out)].padded;
        step.packed = take(packed_size_, padded * fan_in);
        step.packed_bias = take(packed_size_, padded);
        if (s.in[0] > 0) step.packed_transpose = take(packed_size_, in.padded * fan_out);
        if (s.factor > 0) step.packed_factor = take(packed_size_, padded);
        step.gradient = take(gradient_size_, padded * in.padded);
        step.gradient_bias = take(gradient_size_, padded);
        break;
      }
      case Instruction::Kind::output:
        step.packed = take(packed_size_, fan_out * in.padded);
        step.packed_bias = take(packed_size_, fan_out);
        if (s.factor > 0) step.packed_factor = take(packed_size_, fan_out);
        step.gradient = take(gradient_size_, fan_out * in.padded);
        step.gradient_bias = take(gradient_size_, fan_out);
        break;
      case Instruction::Kind::gaussian:
        for (std::size_t* at : {&step.packed, &step.packed_bias})
          *at = take(packed_size_, slots_[std::size_t(s.out)].padded * fan_in);
        for (std::size_t* at : {&step.gradient, &step.gradient_bias})
          *at = take(gradient_size_, slots_[std::size_t(s.out)].padded * fan_in);
        if (s.shears > 0) {
          const std::size_t n = slots_[std::size_t(s.out)].padded * std::size_t(s.shears);
          step.packed_shear = take(packed_size_, n);
          step.gradient_shear = take(gradient_size_, n);
        }
        break;
      case Instruction::Kind::blend:
        step.packed = take(packed_size_, 1);
        step.gradient = take(gradient_size_, 1);
        break;
      case Instruction::Kind::gate: break;
    }
    if (s.adds != 0) scratch_columns_ = width;
    steps_.push_back(step);
  }
}

template <class T>
NetworkView NetworkLayout<T>::view() const {
  return {vectors_,         width_,        int(steps_.size()), int(slots_.size()), outputs_,
          steps_.data(),    slots_.data(), slots_[0].padded,   columns_,           adjoint_at_.data(),
          scratch_columns_, packed_size_,  gradient_size_};
}

template class NetworkLayout<float>;
template class NetworkLayout<double>;

}  // namespace sobolev::detail
