// SPDX-License-Identifier: Apache-2.0
#include "src/problem/network_of.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>

#include "sobolev/core/random.hpp"

namespace sobolev::detail {
namespace {
constexpr std::uint64_t fourier_stream = 500;  // of random numbers; those below are of initial weights

/// True when cosines alone make the network even in a periodic coordinate.
bool even_features(const NetworkOptions& n, const CoordinateRange& c) {
  const auto symmetry = n.symmetry.find(c.name);
  return c.periodic && symmetry != n.symmetry.end() && symmetry->second > 0 &&
         std::all_of(n.features.begin(), n.features.end(),
                     [&](Expr e) { return differentiate(e, c.name) == Expr(0.0); }) &&
         n.fourier.frequencies == 0;
}
}  // namespace

bool has_gaussians(const NetworkOptions& n) {
  return n.kind == NetworkKind::gaussian || std::any_of(n.own.begin(), n.own.end(), [](const auto& own) {
           return own.second.kind == NetworkKind::gaussian;
         });
}

int gaussian_depth(const Problem& problem) {
  return problem.time() >= 0 && !problem.network.gaussians.direct ? 1 : 0;
}

Features network_features(const Problem& problem, const std::vector<CoordinateRange>& ranges) {
  const NetworkOptions& n = problem.network;
  std::vector<std::string> names;
  for (const CoordinateRange& c : ranges) names.push_back(c.name);
  Features features(names);
  for (std::size_t d = 0; d < ranges.size(); ++d) {
    const CoordinateRange& c = ranges[d];
    if (even_features(n, c))
      for (int k = 1; k <= n.periodic_modes; ++k)
        features.expression(cos(Expr(2 * std::numbers::pi * k / (c.high - c.low)) * coordinate(c.name)));
    else if (c.periodic)
      features.periodic(int(d), n.periodic_modes, c.high - c.low);
    else if (n.normalize)
      features.linear(int(d), 2 / (c.high - c.low), -(c.high + c.low) / (c.high - c.low));
    else
      features.linear(int(d), 1, 0);
  }
  for (Expr e : n.features) features.expression(e);
  for (int f = 0; f < n.fourier.frequencies; ++f) {
    const double scale =
        n.fourier.scale[std::size_t(f) * n.fourier.scale.size() / std::size_t(n.fourier.frequencies)];
    Expr phase = 0.0;
    for (std::size_t d = 0; d < ranges.size(); ++d) {
      const CoordinateRange& c = ranges[d];
      const double b =
          scale * Philox(problem.training.seed, fourier_stream).normal(std::size_t(f) * ranges.size() + d);
      const double length = c.high - c.low;
      if (c.periodic)
        phase = phase + Expr(2 * std::numbers::pi * std::round(b) / length) * coordinate(c.name);
      else
        phase = phase + Expr(2 * b / length) * (coordinate(c.name) - Expr((c.high + c.low) / 2));
    }
    features.expression(cos(phase)).expression(sin(phase));
  }
  return features;
}

Network network_of(const Problem& problem) {
  const NetworkOptions& n = problem.network;
  Network network(network_features(problem, problem.coordinates).inputs());
  const int begin = n.shared_layers == 0 ? 0 : mlp_layers(network, 0, n.shared_layers, n.width, n.activation);
  const auto layers = [&](const OwnNetwork& own) {
    const NetworkKind kind = own.kind.value_or(n.kind);
    const int given = own.depth.value_or(n.depth), width = own.width.value_or(n.width),
              depth = given > 0                       ? given
                      : kind == NetworkKind::gaussian ? gaussian_depth(problem)
                                                      : default_depth;
    const Activation activation = own.activation.value_or(n.activation);
    switch (kind) {
      case NetworkKind::mlp: break;
      case NetworkKind::modified_mlp: return modified_mlp_layers(network, begin, depth, width, activation);
      case NetworkKind::pirate: return pirate_layers(network, begin, depth, width, activation);
      case NetworkKind::gaussian: {
        const int gaussians =
            network.gaussian(0, n.gaussians.count, n.gaussians.covariance == Covariance::full);
        return depth > 0 ? mlp_layers(network, gaussians, depth, width, activation) : gaussians;
      }
    }
    return mlp_layers(network, begin, depth, width, activation);
  };
  // Outputs in the order of the unknowns.
  std::map<std::string, int> last;
  std::optional<int> shared;
  for (const std::string& u : problem.unknowns) {
    const auto own = n.own.find(u);
    if (own == n.own.end() && !shared) shared = layers({});
    last[u] = own == n.own.end() ? *shared : layers(own->second);
  }
  for (std::size_t i = 0, next = 0; i < problem.unknowns.size(); i = next) {
    const int slot = last.at(problem.unknowns[i]);
    for (next = i; next < problem.unknowns.size() && last.at(problem.unknowns[next]) == slot;) ++next;
    network.output(slot, int(next - i));
  }
  std::vector<double> start;
  for (const UnknownConstant& c : problem.unknown_constants) start.push_back(c.initial / c.unit());
  if (!start.empty()) network.constants(start);
  return n.weight_factorization ? network.factorized() : network;
}

std::map<std::string, double> found_constants(const Problem& problem, const std::vector<double>& parameters) {
  std::map<std::string, double> found;
  if (problem.unknown_constants.empty()) return found;
  std::size_t at = network_of(problem).instructions().back().bias;
  for (const UnknownConstant& c : problem.unknown_constants) found[c.name] = c.unit() * parameters.at(at++);
  return found;
}

std::vector<Symmetry> mirror_symmetry(const Problem& problem) {
  const NetworkOptions& n = problem.network;
  std::vector<Symmetry> all;
  for (std::size_t d = 0; d < problem.coordinates.size(); ++d) {
    const auto it = n.symmetry.find(problem.coordinates[d].name);
    if (it != n.symmetry.end() && !even_features(n, problem.coordinates[d]))
      all.push_back({int(d), it->second});
  }
  return all;
}

}  // namespace sobolev::detail
