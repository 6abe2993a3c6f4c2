// SPDX-License-Identifier: Apache-2.0
#include "sobolev/network/grow_network.hpp"

#include <fmt/format.h>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
void check(const Network& from, std::size_t parameters, const Network& to, std::size_t fresh) {
  require(parameters == from.parameters() && fresh == to.parameters(), [&] {
    return fmt::format("grow_network: {} and {} parameters are given, the networks have {} and {}",
                       parameters, fresh, from.parameters(), to.parameters());
  });
  require(from.inputs() == to.inputs() && from.outputs() == to.outputs(), [&] {
    return fmt::format("grow_network: from {} inputs and {} outputs to {} and {}; they must stay",
                       from.inputs(), from.outputs(), to.inputs(), to.outputs());
  });
  require(from.instructions().size() == to.instructions().size(), [&] {
    return fmt::format("grow_network: from {} instructions to {}; they must be as many, only wider",
                       from.instructions().size(), to.instructions().size());
  });
  for (std::size_t k = 0; k < to.instructions().size(); ++k) {
    const Instruction &a = from.instructions()[k], &b = to.instructions()[k];
    const bool same = a.kind == b.kind && a.in == b.in && a.out == b.out && a.activation == b.activation &&
                      a.full == b.full && a.factor.has_value() == b.factor.has_value();
    require(same, [&] {
      return fmt::format("grow_network: instruction {} is another one in the wider network", k);
    });
    const bool wider = a.kind == Instruction::Kind::output ? b.fan_out == a.fan_out && b.fan_in >= a.fan_in
                                                           : b.fan_out >= a.fan_out && b.fan_in >= a.fan_in;
    require(wider, [&] {
      return fmt::format(
          "grow_network: instruction {} goes from [{}, {}] to [{}, {}] features; no slot may lose "
          "any",
          k, a.fan_in, a.fan_out, b.fan_in, b.fan_out);
    });
  }
}
}  // namespace

std::vector<double> grow_network(const Network& from, View<const double, 1> parameters, const Network& to,
                                 View<const double, 1> fresh) {
  check(from, parameters.size(), to, fresh.size());
  std::vector<double> grown(fresh.begin(), fresh.end());
  const double* const old = parameters.data();
  for (std::size_t k = 0; k < to.instructions().size(); ++k) {
    const Instruction &a = from.instructions()[k], &b = to.instructions()[k];
    const std::size_t old_in = std::size_t(a.fan_in), in = std::size_t(b.fan_in),
                      old_out = std::size_t(a.fan_out), out = std::size_t(b.fan_out);
    // Arrays [rows, out] of numbers that belong to a neuron each.
    const auto keep = [&](std::size_t old_at, std::size_t at, std::size_t rows) {
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t o = 0; o < old_out; ++o) grown[at + i * out + o] = old[old_at + i * old_out + o];
    };
    switch (b.kind) {
      case Instruction::Kind::dense:
        keep(a.weight, b.weight, old_in);
        for (std::size_t i = old_in; i < in; ++i)
          for (std::size_t o = 0; o < old_out; ++o) grown[b.weight + i * out + o] = 0;
        keep(a.bias, b.bias, 1);
        break;
      case Instruction::Kind::output:
        for (std::size_t o = 0; o < out; ++o)
          for (std::size_t i = 0; i < in; ++i)
            grown[b.weight + o * in + i] = i < old_in ? old[a.weight + o * old_in + i] : 0;
        keep(a.bias, b.bias, 1);
        break;
      case Instruction::Kind::gaussian:
        keep(a.weight, b.weight, in);
        keep(a.bias, b.bias, in + std::size_t(b.shears()));
        break;
      case Instruction::Kind::blend: grown[b.weight] = old[a.weight]; break;
      case Instruction::Kind::gate: break;
    }
    if (b.factor) keep(*a.factor, *b.factor, 1);
  }
  return grown;
}

}  // namespace sobolev
