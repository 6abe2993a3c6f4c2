// SPDX-License-Identifier: Apache-2.0
#include "sobolev/network/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kernels/network/network_shapes.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
constexpr int most_features = 4096, most_at_the_ends = 1024;

void check_range(const char* what, int value, int high) {
  require(value >= 1 && value <= high,
          fmt::format("network: {} is {}; it must be 1 to {}", what, value, high));
}
}  // namespace

Network::Network(int inputs) : slots_{inputs} {
  check_range("the number of inputs", inputs, most_at_the_ends);
}

int Network::checked(int slot) const {
  require(slot >= 0 && slot < slots(), fmt::format("network: slot {} of {}", slot, slots()));
  return slots_[std::size_t(slot)];
}

const Instruction& Network::append(Instruction i, int features, std::size_t parameters) {
  require(int(instructions_.size()) < most_instructions,
          fmt::format("network: more than {} instructions", most_instructions));
  i.fan_out = features;
  i.weight = parameters_;
  i.bias = i.weight + std::size_t(i.fan_in) * std::size_t(features);
  parameters_ += parameters;
  if (factorized_ && (i.kind == Instruction::Kind::dense || i.kind == Instruction::Kind::output)) {
    i.factor = parameters_;
    parameters_ += std::size_t(features);
  }
  if (i.kind == Instruction::Kind::output) {
    i.out = outputs_;
    outputs_ += features;
  } else {
    i.out = slots();
    slots_.push_back(features);
  }
  instructions_.push_back(i);
  return instructions_.back();
}

int Network::dense(int x, int features, Activation activation) {
  const int in = checked(x);
  check_range("width", features, most_features);
  return append({Instruction::Kind::dense, {x, -1, -1}, 0, in, 0, activation, 0, 0, {}}, features,
                std::size_t(in + 1) * std::size_t(features))
      .out;
}

int Network::gaussian(int x, int count, bool full) {
  const int in = checked(x);
  require(x == 0, fmt::format("network: Gaussians of slot {}; they are of the inputs, slot 0", x));
  check_range("the number of Gaussians", count, most_features);
  require(!full || in <= max_dimensions,
          fmt::format("network: Gaussians of full covariance of {} inputs; they have at most {}", in,
                      max_dimensions));
  const Instruction step{Instruction::Kind::gaussian, {x, -1, -1}, 0, in, 0,
                         Activation::exponential,     0,           0, {}, full && in > 1};
  return append(step, count, std::size_t(2 * in + step.shears()) * std::size_t(count)).out;
}

int Network::gate(int z, int a, int b) {
  const int n = checked(z);
  require(checked(a) == n && checked(b) == n,
          fmt::format("network: a gate of {}, {} and {} features; they must be as many", n, checked(a),
                      checked(b)));
  return append({Instruction::Kind::gate, {z, a, b}, 0, n, 0, Activation::tanh, 0, 0, {}}, n, 0).out;
}

int Network::blend(int z, int x, double alpha) {
  const int n = checked(z);
  require(checked(x) == n,
          fmt::format("network: a blend of {} and {} features; they must be as many", n, checked(x)));
  const Instruction& i =
      append({Instruction::Kind::blend, {z, x, -1}, 0, n, 0, Activation::tanh, 0, 0, {}}, n, 1);
  starts_.emplace_back(i.weight, alpha);
  return i.out;
}

void Network::output(int x, int count) {
  const int in = checked(x);
  check_range("the number of outputs", outputs_ + count, most_at_the_ends);
  check_range("the number of outputs", count, most_at_the_ends);
  append({Instruction::Kind::output, {x, -1, -1}, 0, in, 0, Activation::tanh, 0, 0, {}}, count,
         std::size_t(in + 1) * std::size_t(count));
}

void Network::constants(const std::vector<double>& start) {
  const int count = int(start.size());
  check_range("the number of outputs", outputs_ + count, most_at_the_ends);
  check_range("the number of outputs", count, most_at_the_ends);
  const bool factorized = std::exchange(factorized_, false);  // there is no weight
  const Instruction& i = append({Instruction::Kind::output, {0, -1, -1}, 0, 0, 0, Activation::tanh, 0, 0, {}},
                                count, std::size_t(count));
  factorized_ = factorized;
  for (std::size_t k = 0; k < start.size(); ++k) starts_.emplace_back(i.bias + k, start[k]);
}

Network Network::factorized() const {
  Network same(inputs());
  same.factorized_ = true;
  for (const Instruction& i : instructions_) switch (i.kind) {
      case Instruction::Kind::dense: same.dense(i.in[0], i.fan_out, i.activation); break;
      case Instruction::Kind::gaussian: same.gaussian(i.in[0], i.fan_out, i.full); break;
      case Instruction::Kind::gate: same.gate(i.in[0], i.in[1], i.in[2]); break;
      case Instruction::Kind::blend: same.blend(i.in[0], i.in[1], start(i.weight)); break;
      case Instruction::Kind::output:
        if (i.fan_in > 0) {
          same.output(i.in[0], i.fan_out);
        } else {
          std::vector<double> values;
          for (std::size_t k = 0; k < std::size_t(i.fan_out); ++k) values.push_back(start(i.bias + k));
          same.constants(values);
        }
        break;
    }
  return same;
}

int Network::width() const { return slots() == 1 ? 0 : *std::max_element(slots_.begin() + 1, slots_.end()); }

double Network::start(std::size_t parameter) const {
  for (const auto& [offset, value] : starts_)
    if (offset == parameter) return value;
  return 0;
}

std::vector<std::string> Network::names() const {
  std::vector<std::string> all;
  int layers = 0, blends = 0, gaussians = 0;
  for (const Instruction& i : instructions_) switch (i.kind) {
      case Instruction::Kind::dense:
      case Instruction::Kind::output:
        all.push_back(i.fan_in > 0 ? fmt::format("layers.{}", layers++) : "constants");
        break;
      case Instruction::Kind::blend: all.push_back(fmt::format("blends.{}", blends++)); break;
      case Instruction::Kind::gaussian: all.push_back(fmt::format("gaussians.{}", gaussians++)); break;
      case Instruction::Kind::gate: all.emplace_back(); break;
    }
  return all;
}

std::vector<ParameterArray> Network::arrays() const {
  std::vector<ParameterArray> all;
  const std::vector<std::string> name = names();
  for (std::size_t k = 0; k < instructions_.size(); ++k) {
    const Instruction& i = instructions_[k];
    const std::size_t in = std::size_t(i.fan_in), out = std::size_t(i.fan_out);
    switch (i.kind) {
      case Instruction::Kind::dense:
      case Instruction::Kind::output:
        if (in == 0) {
          all.push_back({name[k] + ".value", {out}, i.bias, false});
          break;
        }
        all.push_back({name[k] + ".weight", {out, in}, i.weight, i.kind == Instruction::Kind::dense});
        all.push_back({name[k] + ".bias", {out}, i.bias, false});
        if (i.factor) all.push_back({name[k] + ".factor", {out}, *i.factor, false});
        break;
      case Instruction::Kind::blend: all.push_back({name[k] + ".alpha", {1}, i.weight, false}); break;
      case Instruction::Kind::gaussian:
        all.push_back({name[k] + ".centre", {out, in}, i.weight, true});
        all.push_back({name[k] + ".log_width", {out, in}, i.bias, true});
        if (i.full)
          all.push_back({name[k] + ".shear", {out, std::size_t(i.shears())}, i.bias + in * out, true});
        break;
      case Instruction::Kind::gate: break;
    }
  }
  return all;
}

double Network::products() const {
  double sum = 0;
  for (const Instruction& i : instructions_)
    if (i.kind != Instruction::Kind::gate && i.kind != Instruction::Kind::blend)
      sum += (double(i.fan_in) * (i.kind == Instruction::Kind::gaussian ? 2 : 1) + i.shears()) * i.fan_out;
  return sum;
}

void Network::validate() const {
  require(outputs_ > 0, "network: it has no output");
  std::vector<bool> read(slots_.size(), false);
  for (const Instruction& i : instructions_)
    for (int slot : i.in)
      if (slot >= 0) read[std::size_t(slot)] = true;
  for (std::size_t s = 0; s < read.size(); ++s)
    require(read[s], fmt::format("network: nothing reads slot {}", s));
}

int mlp_layers(Network& network, int inputs, int depth, int width, Activation activation) {
  check_range("depth", depth, 32);
  int x = inputs;
  for (int l = 0; l < depth; ++l) x = network.dense(x, width, activation);
  return x;
}

int modified_mlp_layers(Network& network, int inputs, int depth, int width, Activation activation) {
  check_range("depth", depth, 32);
  const int u = network.dense(inputs, width, activation), v = network.dense(inputs, width, activation);
  int x = inputs;
  for (int l = 0; l < depth; ++l) x = network.gate(network.dense(x, width, activation), u, v);
  return x;
}

int pirate_layers(Network& network, int inputs, int blocks, int width, Activation activation) {
  check_range("depth", blocks, 16);
  const int u = network.dense(inputs, width, activation), v = network.dense(inputs, width, activation);
  int x = network.features(inputs) >= width ? inputs : network.dense(inputs, width, activation);
  for (int b = 0; b < blocks; ++b) {
    const int first = network.gate(network.dense(x, width, activation), u, v);
    const int second = network.gate(network.dense(first, width, activation), u, v);
    x = network.blend(network.dense(second, network.features(x), activation), x, 0);
  }
  return x;
}

namespace {
template <class Layers>
Network with_output(int inputs, int outputs, const Layers& layers) {
  Network network(inputs);
  network.output(layers(network), outputs);
  return network;
}
}  // namespace

Network mlp(int inputs, int outputs, int depth, int width, Activation activation) {
  return with_output(inputs, outputs, [&](Network& n) { return mlp_layers(n, 0, depth, width, activation); });
}
Network modified_mlp(int inputs, int outputs, int depth, int width, Activation activation) {
  return with_output(inputs, outputs,
                     [&](Network& n) { return modified_mlp_layers(n, 0, depth, width, activation); });
}
Network pirate(int inputs, int outputs, int blocks, int width, Activation activation) {
  return with_output(inputs, outputs,
                     [&](Network& n) { return pirate_layers(n, 0, blocks, width, activation); });
}

void detail::check_network_shapes(const char* name, const Network& network, const JetSpec& spec,
                                  std::size_t parameters, const Extents<3>& x, const Extents<3>& y) {
  const std::size_t k = std::size_t(spec.channels()), in = std::size_t(network.inputs()),
                    out = std::size_t(network.outputs());
  require(parameters == network.parameters(), [&] {
    return fmt::format("{}: {} parameters are given, the network has {}", name, parameters,
                       network.parameters());
  });
  require(x[0] == k && x[1] == in, [&] {
    return fmt::format("{}: x is [{}, {}, {}] but must be [{}, {}, N]", name, x[0], x[1], x[2], k, in);
  });
  require(y[0] == k && y[1] == out && y[2] == x[2], [&] {
    return fmt::format("{}: y is [{}, {}, {}] but must be [{}, {}, {}]", name, y[0], y[1], y[2], k, out,
                       x[2]);
  });
}

}  // namespace sobolev
