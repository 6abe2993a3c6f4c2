// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/field_network.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"

namespace sobolev {

FieldNetwork::FieldNetwork(int axes, std::size_t inputs) : axes_(axes), channels_{inputs} {
  require(axes >= 1 && axes <= 3,
          [&] { return fmt::format("FieldNetwork: {} axes; there may be from 1 to 3", axes); });
  require(inputs >= 1 && inputs <= 65536, [&] {
    return fmt::format("FieldNetwork: {} input channels; there may be from 1 to 65536", inputs);
  });
}

FieldInstruction& FieldNetwork::append(FieldInstruction::Kind kind, int in, std::size_t outputs) {
  require(in >= 0 && in < slots(), [&] { return fmt::format("FieldNetwork: there is no slot {}", in); });
  require(outputs >= 1 && outputs <= 65536,
          [&] { return fmt::format("FieldNetwork: {} channels; there may be from 1 to 65536", outputs); });
  FieldInstruction step{};
  step.kind = kind;
  step.in = in;
  step.added = -1;
  step.out = slots();
  step.inputs = channels(in);
  step.outputs = outputs;
  instructions_.push_back(step);
  channels_.push_back(outputs);
  return instructions_.back();
}

int FieldNetwork::coordinates(int x, const std::vector<std::pair<double, double>>& ends, bool end_point) {
  require(int(ends.size()) == axes_, [&] {
    return fmt::format("FieldNetwork: coordinates of {} axes on a grid of {}", ends.size(), axes_);
  });
  FieldInstruction& step = append(FieldInstruction::Kind::coordinates, x, channels(x) + ends.size());
  step.coordinates = ends;
  step.end_point = end_point;
  return step.out;
}

int FieldNetwork::mix(int x, std::size_t outputs, FieldActivation activation, const std::string& name,
                      bool bias, int added) {
  require(added < slots() && (added < 0 || channels(added) == outputs), [&] {
    return fmt::format("FieldNetwork: what is added to {} must be a slot of {} channels", name, outputs);
  });
  FieldInstruction& step = append(FieldInstruction::Kind::mix, x, outputs);
  step.activation = activation;
  step.added = added;
  const double bound = 1 / std::sqrt(double(step.inputs));
  step.weight = parameters_;
  arrays_.push_back({name + ".weight", {step.inputs, outputs}, parameters_, -bound, bound});
  parameters_ += step.inputs * outputs;
  if (bias) {
    step.bias = parameters_;
    arrays_.push_back({name + ".bias", {outputs}, parameters_, -bound, bound});
    parameters_ += outputs;
  }
  return step.out;
}

int FieldNetwork::spectral(int x, std::size_t outputs, const std::vector<ModeRange>& modes,
                           const std::string& name) {
  require(int(modes.size()) == axes_, [&] {
    return fmt::format("FieldNetwork: modes of {} axes for {} on a grid of {}", modes.size(), name, axes_);
  });
  FieldInstruction& step = append(FieldInstruction::Kind::spectral, x, outputs);
  step.modes = modes;
  std::vector<std::size_t> shape;
  std::size_t size = 2 * step.inputs * outputs;
  for (const ModeRange& m : modes) {
    shape.push_back(m.count());
    size *= m.count();
  }
  shape.insert(shape.end(), {2, step.inputs, outputs});
  step.weight = parameters_;
  arrays_.push_back({name + ".weight", shape, parameters_, 0, 1 / double(step.inputs * outputs)});
  parameters_ += size;
  return step.out;
}

int FieldNetwork::scale(int x, const std::string& name) {
  FieldInstruction& step = append(FieldInstruction::Kind::scale, x, channels(x));
  step.weight = parameters_;
  arrays_.push_back({name + ".weight", {step.outputs}, parameters_, 1, 1});
  parameters_ += step.outputs;
  return step.out;
}

int FieldNetwork::pad(int x, const std::vector<Margin>& margin) {
  require(int(margin.size()) == axes_, "FieldNetwork: a margin for each axis is needed");
  FieldInstruction& step = append(FieldInstruction::Kind::pad, x, channels(x));
  step.margin = margin;
  return step.out;
}
int FieldNetwork::crop(int x, const std::vector<Margin>& margin) {
  require(int(margin.size()) == axes_, "FieldNetwork: a margin for each axis is needed");
  FieldInstruction& step = append(FieldInstruction::Kind::crop, x, channels(x));
  step.margin = margin;
  return step.out;
}

int FieldNetwork::query(std::size_t coordinates) {
  return append(FieldInstruction::Kind::query, 0, coordinates).out;
}

int FieldNetwork::flatten(int x, std::size_t points) {
  require(points >= 1 && points <= 65536, [&] {
    return fmt::format("FieldNetwork: a field of {} points is flattened; there may be from 1 to 65536",
                       points);
  });
  require(x >= 0 && x < slots(), [&] { return fmt::format("FieldNetwork: there is no slot {}", x); });
  return append(FieldInstruction::Kind::flatten, x, points * channels(x)).out;
}

int FieldNetwork::basis(int branch, int trunk, std::size_t outputs, const std::string& name) {
  require(branch >= 0 && branch < slots() && trunk >= 0 && trunk < slots() && outputs >= 1 &&
              channels(branch) == channels(trunk) && channels(branch) % outputs == 0,
          [&] {
            return fmt::format(
                "FieldNetwork: the branch and the trunk of {} must have as many channels, a multiple of its "
                "{} outputs",
                name, outputs);
          });
  FieldInstruction& step = append(FieldInstruction::Kind::basis, branch, outputs);
  step.trunk = trunk;
  step.bias = parameters_;
  arrays_.push_back({name + ".bias", {outputs}, parameters_, 0, 0});
  parameters_ += outputs;
  return step.out;
}

std::vector<double> FieldNetwork::initial_parameters(std::uint64_t seed) const {
  std::vector<double> out(parameters_);
  for (std::size_t a = 0; a < arrays_.size(); ++a) {
    const Array& array = arrays_[a];
    std::size_t size = 1;
    for (std::size_t n : array.shape) size *= n;
    const Philox random(seed, a);
    for (std::size_t i = 0; i < size; ++i)
      out[array.offset + i] = array.low + (array.high - array.low) * random.uniform(i);
  }
  return out;
}

FieldNetwork fno(const FnoOptions& o) {
  require(o.layers >= 1 && o.layers <= 64,
          [&] { return fmt::format("fno: {} layers; from 1 to 64", o.layers); });
  FieldNetwork net(int(o.modes.size()), o.inputs);
  int x = 0;
  if (!o.coordinates.empty()) x = net.coordinates(x, o.coordinates, o.end_point);
  if (o.lifting > 0) {
    x = net.mix(x, o.lifting, FieldActivation::gelu, "lifting.0");
    x = net.mix(x, o.width, FieldActivation::identity, "lifting.1");
  } else {
    x = net.mix(x, o.width, FieldActivation::identity, "lifting");
  }
  if (!o.padding.empty()) x = net.pad(x, o.padding);
  for (int layer = 0; layer < o.layers; ++layer) {
    const FieldActivation activation =
        layer + 1 < o.layers ? FieldActivation::gelu : FieldActivation::identity;
    const std::string name = fmt::format("blocks.{}", layer);
    const int transformed = net.spectral(x, o.width, o.modes, name + ".spectral");
    if (o.channel_mlp == 0) {
      x = net.mix(x, o.width, activation, name + ".skip", o.skip_bias, transformed);
      continue;
    }
    const int gated = net.scale(x, name + ".gate");
    const int mixed = net.mix(x, o.width, activation, name + ".skip", o.skip_bias, transformed);
    const int hidden = net.mix(mixed, o.channel_mlp, FieldActivation::gelu, name + ".mlp.0");
    x = net.mix(hidden, o.width, activation, name + ".mlp.1", true, gated);
  }
  if (!o.padding.empty()) x = net.crop(x, o.padding);
  x = net.mix(x, o.projection, FieldActivation::gelu, "projection.0");
  net.mix(x, o.outputs, FieldActivation::identity, "projection.1");
  return net;
}

FieldNetwork deeponet(const DeepOnetOptions& o) {
  FieldNetwork net(o.axes, o.inputs);
  const auto layers = [&](int x, const std::vector<std::size_t>& widths, const std::string& name,
                          FieldActivation last) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      x = net.mix(x, widths[i], o.activation, fmt::format("{}.{}", name, i));
    return net.mix(x, o.outputs * o.basis, last, fmt::format("{}.{}", name, widths.size()));
  };
  const int branch = layers(net.flatten(0, o.sensors), o.branch, "branch", FieldActivation::identity),
            trunk = layers(net.query(o.coordinates), o.trunk, "trunk", o.activation);
  net.basis(branch, trunk, o.outputs, "output");
  return net;
}

}  // namespace sobolev
