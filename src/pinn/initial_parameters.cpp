// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sobolev/core/random.hpp"
#include "sobolev/problem/points.hpp"
#include "src/problem/gaussian_lattice.hpp"
#include "window_trainer.hpp"

namespace sobolev::detail {
namespace {
constexpr std::uint64_t gaussian_stream = 3000;  // of points, as many from there on as there may be layers

/// "x = 1.2, y = 0"
std::string place_of(const std::vector<double>& points, const std::vector<CoordinateRange>& ranges,
                     std::size_t i) {
  std::string place;
  for (std::size_t d = 0; d < ranges.size(); ++d)
    place += fmt::format("{}{} = {:.6g}", d == 0 ? "" : ", ", ranges[d].name, points[i * ranges.size() + d]);
  return place;
}

/// centres, log_widths : [inputs][count]
void start_gaussians(const Instruction& step, std::uint64_t number, const Features& features,
                     const std::vector<CoordinateRange>& ranges, const NetworkOptions& options,
                     unsigned long seed, double* parameters) {
  const std::size_t n = std::size_t(step.fan_out), inputs = std::size_t(step.fan_in), d = ranges.size();
  PointRequest request;
  request.ranges = ranges;
  request.sampling = d <= 8 ? Sampling::sobol : Sampling::latin_hypercube;
  request.count = step.fan_out;
  request.seed = seed;
  request.stream = gaussian_stream + number;
  std::vector<double> points = sample_points(request);
  if (options.gaussians.placement == Placement::lattice) {
    const GaussianLattice lattice = gaussian_lattice(ranges, options);
    for (std::size_t i = 0; i < lattice.size(); ++i) lattice.point(i, &points[i * d]);
  }
  const JetSpec values = JetSpec::closure(int(d), {});
  feature_jets<double>(Cpu(1), features, values, View<const double, 2>(points.data(), n, d), 0,
                       View<double, 3>(parameters + step.weight, 1, inputs, n));
  std::fill_n(parameters + step.bias, inputs * n, std::log(options.gaussians.width));
  for (std::size_t i = 0; i < inputs * n; ++i)
    require(std::isfinite(parameters[step.weight + i]), [&] {
      return fmt::format(
          "network.gaussians: input {} of the network is no finite number where Gaussian {} would begin, {}; "
          "leave out the margin, or the feature",
          i / n, i % n, place_of(points, ranges, i % n));
    });
}
}  // namespace

std::vector<double> initial_parameters(const Network& network, const Features& features,
                                       const std::vector<CoordinateRange>& ranges,
                                       const NetworkOptions& options, unsigned long seed,
                                       std::size_t zero_from) {
  std::vector<double> parameters(network.parameters(), 0.0);
  std::uint64_t layer = 0, gaussians = 0;
  for (const Instruction& i : network.instructions()) {
    if (i.kind == Instruction::Kind::blend) parameters[i.weight] = network.start(i.weight);
    if (i.kind == Instruction::Kind::gaussian)
      start_gaussians(i, gaussians++, features, ranges, options, seed, parameters.data());
    if (i.kind != Instruction::Kind::dense && i.kind != Instruction::Kind::output) continue;
    if (i.fan_in == 0) {  // constants
      for (std::size_t k = 0; k < std::size_t(i.fan_out); ++k)
        parameters[i.bias + k] = network.start(i.bias + k);
      continue;
    }
    const bool first = i.in[0] == 0 && i.kind == Instruction::Kind::dense;
    const Philox random(seed, layer);
    const std::size_t width = std::size_t(i.fan_out), n = std::size_t(i.fan_in) * width;
    const bool siren = options.initialization == Initialization::siren && i.kind == Instruction::Kind::dense;
    const double scale =
        (first ? options.first_layer_scale : 1.0) * (!siren  ? std::sqrt(2.0 / (i.fan_in + i.fan_out))
                                                     : first ? 1.0 / i.fan_in
                                                             : std::sqrt(6.0 / i.fan_in));
    for (std::size_t k = 0; k < n; ++k)
      parameters[i.weight + k] = scale * (siren ? 2 * random.uniform(k) - 1 : random.normal(k));
    if (i.kind == Instruction::Kind::output) {
      const std::size_t begin = std::size_t(i.out);
      for (std::size_t o = std::max(begin, zero_from); o < begin + width; ++o)
        std::fill_n(&parameters[i.weight + (o - begin) * std::size_t(i.fan_in)], i.fan_in, 0.0);
    }
    if (first) {
      std::size_t row = 0;
      for (const Features::Item& item : features.items())
        for (int k = 1; k <= item.modes; ++k)
          for (int c = 0; c < (item.kind == Features::Item::Kind::periodic ? 2 : 1); ++c, ++row)
            for (std::size_t o = 0; o < width; ++o) parameters[i.weight + row * width + o] /= double(k * k);
      const Philox biases(seed, layer == 0 ? 15 : 1000 + layer);
      for (std::size_t o = 0; o < width; ++o)
        parameters[i.bias + o] = (siren ? std::numbers::pi : 1.0) * (2 * biases.uniform(o) - 1);
    }
    if (i.factor && options.weight_factorization) {
      const Philox factors(seed, 2000 + layer);
      for (std::size_t o = 0; o < width; ++o) {
        const double s =
            options.weight_factorization->mean + options.weight_factorization->deviation * factors.normal(o);
        parameters[*i.factor + o] = s;
        for (std::size_t k = 0; k < std::size_t(i.fan_in); ++k) {
          const bool last = i.kind == Instruction::Kind::output;
          parameters[i.weight + (last ? o * std::size_t(i.fan_in) + k : k * width + o)] *= std::exp(-s);
        }
      }
    }
    ++layer;
  }
  return parameters;
}

std::vector<std::size_t> output_parameters(const Network& network, bool constants) {
  std::vector<std::size_t> which;
  for (const Instruction& i : network.instructions()) {
    if (i.kind != Instruction::Kind::output || (i.fan_in == 0 && !constants)) continue;
    const std::size_t out = std::size_t(i.fan_out), weights = out * std::size_t(i.fan_in);
    for (std::size_t k = 0; k < weights; ++k) which.push_back(i.weight + k);
    for (std::size_t k = 0; k < out; ++k) which.push_back(i.bias + k);
  }
  return which;
}

}  // namespace sobolev::detail
