// SPDX-License-Identifier: Apache-2.0
// A network that grew is the function that it was, derivatives included, and its new neurons can learn.
#include "sobolev/network/grow_network.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "sobolev/core/buffer.hpp"
#include "sobolev/core/random.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
std::vector<double> random_numbers(std::size_t n, unsigned long stream) {
  const Philox random(3, stream);
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = 0.5 * random.normal(i);
  return values;
}
View<const double, 1> all(const std::vector<double>& v) { return View<const double, 1>(v.data(), v.size()); }

/// Several networks with a shared layer, two outputs and a constant.
Network branches(int width) {
  Network n(3);
  const int shared = mlp_layers(n, 0, 1, width, Activation::sin);
  n.output(modified_mlp_layers(n, shared, 2, width + 1, Activation::tanh), 1);
  n.output(mlp_layers(n, shared, 1, width, Activation::tanh), 1);
  n.constants({2.0});
  return n;
}
Network gaussians(int count, bool full, int behind) {
  Network n(3);
  const int g = n.gaussian(0, count, full);
  n.output(behind > 0 ? mlp_layers(n, g, 1, behind, Activation::tanh) : g, 1);
  return n;
}

TEST(GrowNetwork, IsTheSameFunctionOfEveryKind) {
  const std::vector<std::pair<Network, Network>> pairs = {
      {mlp(3, 2, 3, 7), mlp(3, 2, 3, 12)},
      {mlp(3, 1, 2, 7), mlp(3, 1, 2, 7)},
      {modified_mlp(3, 1, 2, 6), modified_mlp(3, 1, 2, 11)},
      {pirate(3, 1, 2, 5), pirate(3, 1, 2, 9)},
      {pirate(3, 1, 2, 2), pirate(3, 1, 2, 3)},  // the inputs are wide enough to begin with
      {branches(5), branches(8)},
      {gaussians(6, false, 0), gaussians(10, false, 0)},
      {gaussians(6, true, 4), gaussians(9, true, 7)},
      {mlp(3, 2, 2, 5).factorized(), mlp(3, 2, 2, 9).factorized()},
      {branches(4).factorized(), branches(6).factorized()}};
  MultiIndex second;
  second.order[0] = 2;
  MultiIndex mixed;
  mixed.order[0] = mixed.order[2] = 1;
  const JetSpec spec = JetSpec::closure(3, std::vector<MultiIndex>{second, mixed});
  const std::size_t channels = std::size_t(spec.channels()), n = 11;
  const std::vector<double> x = random_numbers(channels * 3 * n, 1);
  const View<const double, 3> at(x.data(), channels, 3, n);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto& [from, to] = pairs[k];
    const std::vector<double> before = random_numbers(from.parameters(), 2),
                              fresh = random_numbers(to.parameters(), 3),
                              grown = grow_network(from, all(before), to, all(fresh));
    const std::size_t outputs = std::size_t(from.outputs());
    Buffer<double> want(channels * outputs * n), got(want.size());
    network_forward<double>(Cpu(1), from, spec, all(before), at, want.view(channels, outputs, n));
    network_forward<double>(Cpu(1), to, spec, all(grown), at, got.view(channels, outputs, n));
    for (std::size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(got[i], want[i], 1e-12 * (1 + std::abs(want[i]))) << "pair " << k << ", " << i;
    if (from.parameters() == to.parameters()) continue;
    // The gradient by the zeros that read new neurons.
    Buffer<double> gradient(to.parameters());
    std::vector<double> y_bar(channels * outputs * n, 1.0);
    network_backward<double>(Cpu(1), to, spec, all(grown), at,
                             View<const double, 3>(y_bar.data(), channels, outputs, n),
                             gradient.view(to.parameters()));
    double by_zeros = 0;
    for (std::size_t i = 0; i < grown.size(); ++i)
      if (grown[i] == 0) by_zeros = std::max(by_zeros, std::abs(gradient[i]));
    EXPECT_GT(by_zeros, 1e-6) << "pair " << k;
  }
}

TEST(GrowNetwork, RefusesWhatIsNoWiderNetwork) {
  const auto grow = [](const Network& from, const Network& to) {
    const std::vector<double> before(from.parameters()), fresh(to.parameters());
    return grow_network(from, all(before), to, all(fresh));
  };
  EXPECT_THROW(grow(mlp(3, 1, 2, 5), mlp(3, 1, 3, 5)), ArgumentError);
  EXPECT_THROW(grow(mlp(3, 1, 2, 5), mlp(3, 1, 2, 4)), ArgumentError);
  EXPECT_THROW(grow(mlp(3, 1, 2, 5), mlp(2, 1, 2, 5)), ArgumentError);
  EXPECT_THROW(grow(mlp(3, 1, 2, 5), mlp(3, 2, 2, 5)), ArgumentError);
  EXPECT_THROW(grow(mlp(3, 1, 2, 5), mlp(3, 1, 2, 6, Activation::sin)), ArgumentError);
  EXPECT_THROW(grow(mlp(3, 1, 2, 5), mlp(3, 1, 2, 6).factorized()), ArgumentError);
  EXPECT_THROW(grow(pirate(3, 1, 1, 3), pirate(3, 1, 1, 4)),
               ArgumentError);  // begins with a layer of its own
  const std::vector<double> few(3);
  EXPECT_THROW(grow_network(mlp(3, 1, 2, 5), all(few), mlp(3, 1, 2, 6), all(few)), ArgumentError);
}
}  // namespace
}  // namespace sobolev
