// SPDX-License-Identifier: Apache-2.0
#include "kernels/network/network_plan.hpp"

#include <algorithm>

namespace sobolev::detail {

NetworkPlan::NetworkPlan(const Network& network)
    : outputs(network.outputs()), width(network.width()), parameters(network.parameters()) {
  network.validate();
  for (int s = 0; s < network.slots(); ++s)
    slots.push_back({network.features(s), -1, false, Activation::tanh, false});
  std::vector<int> reads(slots.size(), 0);
  for (const Instruction& i : network.instructions()) {
    steps.push_back({i.kind,
                     i.activation,
                     0,
                     0,
                     {i.in[0], i.in[1], i.in[2]},
                     i.out,
                     i.fan_in,
                     i.fan_out,
                     i.weight,
                     i.bias,
                     i.factor.value_or(0),
                     i.shears()});
    if (i.kind == Instruction::Kind::dense || i.kind == Instruction::Kind::gaussian) {
      slots[std::size_t(i.out)].activated = true;
      slots[std::size_t(i.out)].activation = i.activation;
    }
    for (int in : i.in)
      if (in >= 0) ++reads[std::size_t(in)];
  }
  for (const NetworkStep& step : steps)
    if (step.kind == Instruction::Kind::gaussian) slots[std::size_t(step.out)].summed = true;
  for (const NetworkStep& step : steps)
    for (int in : step.in)
      if (in > 0 &&
          (step.kind != Instruction::Kind::output || step.fan_out > 1 || reads[std::size_t(in)] > 1))
        slots[std::size_t(in)].summed = false;
  // Backwards: a slot's buffer is taken by the last instruction that reads it and free again after the one
  // that fills it.
  std::vector<bool> taken;
  const auto take = [&](NetworkSlot& slot) {
    std::size_t b = 0;
    while (b < taken.size() && taken[b]) ++b;
    if (b == taken.size()) {
      taken.push_back(false);
      adjoint_features.push_back(0);
    }
    taken[b] = true;
    slot.adjoint = int(b);
    adjoint_features[b] = std::max(adjoint_features[b], slot.features);
  };
  for (std::size_t k = steps.size(); k-- > 0;) {
    NetworkStep& step = steps[k];
    for (int i = 0; i < 3; ++i) {
      if (step.in[i] <= 0) continue;
      NetworkSlot& slot = slots[std::size_t(step.in[i])];
      const auto bit = std::uint8_t(1 << i);
      if (slot.adjoint >= 0)
        step.adds |= bit;
      else
        take(slot);
      if (--reads[std::size_t(step.in[i])] == 0) step.completes |= bit;
    }
    if (step.kind != Instruction::Kind::output)
      taken[std::size_t(slots[std::size_t(step.out)].adjoint)] = false;
  }
}

}  // namespace sobolev::detail
