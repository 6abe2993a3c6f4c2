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

int FieldNetwork::convolve(int x, std::size_t outputs, const ConvolutionOptions& options,
                           FieldActivation activation, const std::string& name, bool bias, int added,
                           int like) {
  require(added < slots() && like < slots() && (added < 0 || channels(added) == outputs), [&] {
    return fmt::format("FieldNetwork: what is added to {} must be a slot of {} channels", name, outputs);
  });
  convolved_points(std::size_t(1) << 20, options);  // refuses impossible ones
  FieldInstruction& step = append(FieldInstruction::Kind::convolve, x, outputs);
  step.convolution = options;
  step.activation = activation;
  step.added = added;
  step.like = like >= 0 ? like : added;
  std::size_t taps = 1;
  std::vector<std::size_t> shape;
  for (int a = 0; a < axes_; ++a) {
    taps *= options.width;
    shape.push_back(options.width);
  }
  shape.insert(shape.end(), {step.inputs, outputs});
  const double bound = 1 / std::sqrt(double(step.inputs * taps));
  step.weight = parameters_;
  arrays_.push_back({name + ".weight", shape, parameters_, -bound, bound});
  parameters_ += taps * step.inputs * outputs;
  if (bias) {
    step.bias = parameters_;
    arrays_.push_back({name + ".bias", {outputs}, parameters_, -bound, bound});
    parameters_ += outputs;
  }
  return step.out;
}

int FieldNetwork::normalise(int x, std::size_t groups, FieldActivation activation, const std::string& name,
                            std::size_t points) {
  require(x >= 0 && x < slots() && groups >= 1 && channels(x) % groups == 0, [&] {
    return fmt::format("FieldNetwork: {} groups of {} in a slot that has not as many channels or a multiple",
                       groups, name);
  });
  FieldInstruction& step = append(FieldInstruction::Kind::normalise, x, channels(x));
  step.activation = activation;
  step.groups = groups;
  step.weights = std::max<std::size_t>(1, points) * step.outputs;
  std::vector<std::size_t> shape{step.outputs};
  if (points > 0) shape.insert(shape.begin(), points);
  step.weight = parameters_;
  arrays_.push_back({name + ".weight", shape, parameters_, 1, 1});
  parameters_ += step.weights;
  step.bias = parameters_;
  arrays_.push_back({name + ".bias", shape, parameters_, 0, 0});
  parameters_ += step.weights;
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

namespace {
/// The steps of a cycle, from the coarser levels up.
class Cycle {
 public:
  Cycle(FieldNetwork& network, const MultigridOptions& options, std::size_t inputs, std::string name)
      : network_(network), options_(options), inputs_(inputs), name_(std::move(name)) {}

  /// From level `level` on. u: the slot of the start, −1 for zero.
  int run(std::size_t level, int u, int f, FieldActivation last, const std::string& visit = "") {
    const auto [before, after] = options_.smoothing[level];
    const bool coarsest = level + 1 == options_.smoothing.size();
    const std::string here = fmt::format("{}.level.{}{}", name_, level, visit);
    const int steps = before + (coarsest ? after : 0);
    for (int s = 0; s < steps; ++s)
      u = smooth(u, f, coarsest && s + 1 == steps ? last : FieldActivation::identity,
                 fmt::format("{}.before.{}", here, s));
    if (coarsest) return u;
    const ConvolutionOptions down{3, 2, options_.restriction_padding, options_.boundary},
        up{options_.prolongation_width, 2, options_.restriction_padding, options_.boundary, true};
    const int right = options_.restrict_residual ? residual(u, f, here + ".restricted") : f;
    const int coarse_f =
        network_.convolve(right, inputs_, down, FieldActivation::identity, here + ".restrict_f", false);
    int coarse = options_.restrict_residual
                     ? -1
                     : network_.convolve(u, options_.channels, down, FieldActivation::identity,
                                         here + ".restrict_u", false);
    for (int g = 0; g < options_.visits; ++g)
      coarse = run(level + 1, coarse, coarse_f, FieldActivation::identity,
                   options_.visits == 1 ? "" : fmt::format("{}.visit.{}", visit, g));
    const bool normal = !options_.norm.empty();
    const FieldActivation behind = after == 0 ? last : FieldActivation::identity;
    u = network_.convolve(coarse, options_.channels, up, normal ? FieldActivation::identity : behind,
                          here + ".prolong", false, u);
    if (normal) u = network_.normalise(u, 1, behind, here + ".norm", options_.norm[level]);
    for (int s = 0; s < after; ++s)
      u = smooth(u, f, s + 1 == after ? last : FieldActivation::identity,
                 fmt::format("{}.after.{}", here, s));
    return u;
  }

 private:
  int residual(int u, int f, const std::string& name) {
    return network_.convolve(u, inputs_, same(), FieldActivation::identity, name + ".A",
                             options_.smoother_bias, f);
  }
  int smooth(int u, int f, FieldActivation activation, const std::string& name) {
    const int r = u < 0 ? f : residual(u, f, name);
    return network_.convolve(r, options_.channels, same(), activation, name + ".S", options_.smoother_bias,
                             u);
  }
  ConvolutionOptions same() const { return {3, 1, 1, options_.boundary}; }

  FieldNetwork& network_;
  const MultigridOptions& options_;
  std::size_t inputs_;
  std::string name_;
};
}  // namespace

int multigrid(FieldNetwork& network, int f, const MultigridOptions& o, FieldActivation activation,
              const std::string& name) {
  require(!o.smoothing.empty() && o.smoothing.size() <= 16 && o.visits >= 1 && o.visits <= 2, [&] {
    return fmt::format("multigrid: {} levels and {} visits of each; from 1 to 16 levels and 1 or 2 visits",
                       o.smoothing.size(), o.visits);
  });
  require(o.norm.empty() || o.norm.size() + 1 == o.smoothing.size(), [&] {
    return fmt::format("multigrid: normalisation on {} of {} levels; it is on all but the coarsest or none",
                       o.norm.size(), o.smoothing.size());
  });
  for (std::size_t l = 0; l < o.smoothing.size(); ++l) {
    const auto [before, after] = o.smoothing[l];
    const bool needed = l == 0 || l + 1 == o.smoothing.size() || o.restrict_residual;
    require(before >= (needed ? 1 : 0) && before <= 16 && after >= 0 && after <= 16,
            [&, b = before, a = after] {
              return fmt::format(
                  "multigrid: {} smoothing steps before and {} after on level {}; there may be up to "
                  "16{}",
                  b, a, l, needed ? ", and one before is needed on this level" : "");
            });
  }
  return Cycle(network, o, network.channels(f), name).run(0, -1, f, activation);
}

FieldNetwork mgno(const MgnoOptions& o) {
  require(o.layers >= 1 && o.layers <= 64,
          [&] { return fmt::format("mgno: {} layers; from 1 to 64", o.layers); });
  require(!o.residual || o.inputs == o.outputs, [&] {
    return fmt::format("mgno: a residual of {} input channels cannot be added to {} outputs", o.inputs,
                       o.outputs);
  });
  FieldNetwork net(o.axes, o.inputs);
  int x = 0;
  if (!o.coordinates.empty()) x = net.coordinates(x, o.coordinates, o.end_point);
  for (int layer = 0; layer < o.layers; ++layer) {
    const std::string name = fmt::format("blocks.{}", layer);
    const int u = multigrid(net, x, o.cycle, o.skip ? FieldActivation::identity : FieldActivation::gelu,
                            name + ".cycle");
    x = o.skip ? net.mix(x, o.cycle.channels, FieldActivation::gelu, name + ".skip", true, u) : u;
  }
  net.mix(x, o.outputs, FieldActivation::identity, "projection", false, o.residual ? 0 : -1);
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
