// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/field_network.hpp"

#include <numbers>

#include "sobolev/core/buffer_on.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class FieldNetworks : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(FieldNetworks, test::BackEnds, test::BackEndNames);
template <class B>
class FieldNetworkGradients : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(FieldNetworkGradients, test::DoubleBackEnds, test::BackEndNames);

struct Case {
  FieldNetwork network;
  std::vector<std::size_t> grid;
  QueryPoints query = {};
  std::size_t coordinates = 0;
  std::vector<std::size_t> output_grid() const { return coordinates > 0 ? query.grid : grid; }
};
/// Networks that between them have every instruction, on one to three axes.
std::vector<Case> cases() {
  FnoOptions line;
  line.width = 3;
  line.modes = lowest_modes({3});
  line.layers = 2;
  line.projection = 5;
  line.coordinates = {{0, 1}};
  FnoOptions plane = line;
  plane.inputs = 2;
  plane.outputs = 2;
  plane.modes = lowest_modes({2, 3});
  plane.coordinates = {{0, 1}, {-1, 1}};
  plane.padding = {{0, 2, 0}, {1, 0, 0.2}};
  plane.lifting = 4;
  FnoOptions gated = plane;
  gated.padding = {};
  gated.channel_mlp = 2;
  gated.skip_bias = false;
  FnoOptions space = line;
  space.modes = lowest_modes({1, 2, 1});
  space.layers = 1;
  space.coordinates = {};
  DeepOnetOptions aligned;
  aligned.sensors = 5;
  aligned.branch = {4};
  aligned.trunk = {4, 3};
  aligned.basis = 3;
  DeepOnetOptions unaligned = aligned;
  unaligned.axes = 2;
  unaligned.inputs = 2;
  unaligned.sensors = 6;
  unaligned.coordinates = 2;
  unaligned.outputs = 2;
  unaligned.activation = FieldActivation::gelu;
  // The input is lifted before it is flattened, and the trunk reads its slot twice.
  FieldNetwork lifted(1, 1);
  const int branch = lifted.flatten(lifted.mix(0, 2, FieldActivation::tanh, "lift"), 4), at = lifted.query(1),
            hidden = lifted.mix(at, 4, FieldActivation::tanh, "a"),
            trunk = lifted.mix(lifted.scale(hidden, "w"), 8, FieldActivation::tanh, "b", true,
                               lifted.mix(hidden, 8, FieldActivation::identity, "c"));
  lifted.basis(branch, trunk, 2, "out");
  MgnoOptions grids;
  grids.inputs = 2;
  grids.layers = 2;
  grids.cycle.channels = 3;
  grids.cycle.smoothing = {{1, 0}, {1, 1}, {2, 0}};
  MgnoOptions turns = grids;  // a W cycle without skips, of the residual
  turns.inputs = 1;
  turns.layers = 1;
  turns.skip = false;
  turns.residual = true;
  turns.cycle.channels = 2;
  turns.cycle.smoothing = {{2, 1}, {1, 0}, {1, 1}};
  turns.cycle.visits = 2;
  turns.cycle.norm = {32, 0};
  turns.cycle.boundary = Boundary::periodic;
  turns.cycle.smoother_bias = true;
  turns.cycle.restrict_residual = true;
  turns.coordinates = {{0, 1}, {0, 1}};
  MgnoOptions rod = grids;
  rod.axes = 1;
  rod.inputs = 1;
  rod.cycle.boundary = Boundary::reflect;
  rod.cycle.smoothing = {{1, 1}, {1, 0}};
  if (test::in_another_order()) return {{fno(gated), {4, 5}}, {deeponet(unaligned), {3, 2}, {{4}, false}, 2}};
  return {{fno(line), {11}},
          {fno(plane), {6, 5}},
          {fno(gated), {4, 7}},
          {fno(space), {3, 4, 2}},
          {deeponet(aligned), {5}, {{3, 2}, true}, 1},
          {deeponet(unaligned), {3, 2}, {{4}, false}, 2},
          {lifted, {4}, {{3}, true}, 1},
          {mgno(grids), {7, 6}},
          {mgno(turns), {4, 8}},
          {mgno(rod), {9}}};
}

template <class T, class E>
std::vector<double> output_of(const E& executor, PlannedFieldNetwork<T, E>& network,
                              const std::vector<double>& theta, const std::vector<double>& x,
                              std::size_t batch, std::size_t inputs, const std::vector<double>& asked = {},
                              std::size_t sets = 0, std::size_t coordinates = 0) {
  const std::vector<T> theta_t(theta.begin(), theta.end()), x_t(x.begin(), x.end()),
      asked_t(asked.begin(), asked.end());
  auto places = zeros<T>(executor, asked.size());
  upload<T, 1>(executor, View<const T, 1>(asked_t.data(), asked_t.size()),
               View<T, 1>(places.data(), places.size()));
  auto p = zeros<T>(executor, theta.size()), field = zeros<T>(executor, x.size());
  upload<T, 1>(executor, View<const T, 1>(theta_t.data(), theta_t.size()), View<T, 1>(p.data(), p.size()));
  upload<T, 1>(executor, View<const T, 1>(x_t.data(), x_t.size()), View<T, 1>(field.data(), field.size()));
  const View<const T, 3> y = network.forward(
      View<const T, 1>(p.data(), p.size()),
      View<const T, 3>(field.data(), batch, x.size() / batch / inputs, inputs),
      View<const T, 3>(places.data(), sets, sets > 0 ? asked.size() / sets / coordinates : 0, coordinates));
  std::vector<T> out(y.size());
  download<T, 1>(executor, View<const T, 1>(y.data(), y.size()), View<T, 1>(out.data(), out.size()));
  return {out.begin(), out.end()};
}
std::vector<double> numbers(std::size_t n, std::uint64_t stream) {
  std::vector<double> out(n);
  const Philox random(3, stream);
  for (std::size_t i = 0; i < n; ++i) out[i] = random.normal(i);
  return out;
}
std::size_t points(const std::vector<std::size_t>& grid) {
  std::size_t n = 1;
  for (std::size_t g : grid) n *= g;
  return n;
}

TYPED_TEST(FieldNetworkGradients, AgreeWithFiniteDifferences) {
  using E = typename TypeParam::Executor;
  const E& executor = test::executor_of<TypeParam>();
  for (const Case& c : cases()) {
    const FieldNetwork& network = c.network;
    using Planned = PlannedFieldNetwork<double, E>;
    const std::size_t batch = 2, n = points(c.grid), outputs = network.outputs(), m = points(c.output_grid()),
                      sets = c.coordinates == 0 ? 0
                             : c.query.shared   ? 1
                                                : batch;
    Planned planned(executor, network, c.grid, batch, Planned::Use::training, c.query, true);
    ASSERT_EQ(planned.output_grid(), c.output_grid());
    std::vector<double> theta = network.initial_parameters(5);
    std::vector<double> x = numbers(batch * n * network.inputs(), 1);
    const std::vector<double> seed = numbers(batch * m * outputs, 2),
                              asked = numbers(sets * m * c.coordinates, 3);
    const auto loss = [&] {
      const auto y =
          output_of<double>(executor, planned, theta, x, batch, network.inputs(), asked, sets, c.coordinates);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * seed[i];
      return sum;
    };
    auto p = zeros<double>(executor, theta.size()), field = zeros<double>(executor, x.size()),
         bar = zeros<double>(executor, seed.size()), g = zeros<double>(executor, theta.size()),
         places = zeros<double>(executor, asked.size());
    const auto up = [&](const std::vector<double>& host, auto& to) {
      upload<double, 1>(executor, View<const double, 1>(host.data(), host.size()),
                        View<double, 1>(to.data(), to.size()));
    };
    up(theta, p);
    up(x, field);
    up(seed, bar);
    up(asked, places);
    const View<const double, 1> parameters(p.data(), p.size());
    planned.forward(parameters, View<const double, 3>(field.data(), batch, n, network.inputs()),
                    View<const double, 3>(places.data(), sets, sets > 0 ? m : 0, c.coordinates));
    planned.backward(parameters, View<const double, 3>(bar.data(), batch, m, outputs),
                     View<double, 1>(g.data(), g.size()));
    std::vector<double> gradient(g.size());
    download<double, 1>(executor, View<const double, 1>(g.data(), g.size()),
                        View<double, 1>(gradient.data(), gradient.size()));
    std::vector<double> x_bar(x.size());
    download<double, 1>(executor, View<const double, 1>(planned.input_adjoint().data(), x.size()),
                        View<double, 1>(x_bar.data(), x_bar.size()));
    double largest = 0;
    for (double v : gradient) largest = std::max(largest, std::abs(v));
    // Each difference is two passes, which take a simulated device a second.
    const std::size_t step = test::in_another_order() ? 151
                             : std::is_same_v<E, Cpu> ? 1 + theta.size() / 400
                                                      : 61 + theta.size() / 6;
    for (std::size_t i = 0; i < theta.size(); i += step) {
      const double before = theta[i], h = 1e-5;
      theta[i] = before + h;
      const double high = loss();
      theta[i] = before - h;
      const double low = loss();
      theta[i] = before;
      ASSERT_NEAR(gradient[i], (high - low) / (2 * h), 1e-6 * (1 + largest)) << "parameter " << i;
    }
    for (std::size_t i = 0; i < x.size(); i += std::is_same_v<E, Cpu> ? 7 : 1 + x.size() / 3) {
      const double before = x[i], h = 1e-5;
      x[i] = before + h;
      const double high = loss();
      x[i] = before - h;
      const double low = loss();
      x[i] = before;
      ASSERT_NEAR(x_bar[i], (high - low) / (2 * h), 1e-6 * (1 + largest)) << "input " << i;
    }
  }
}

TEST(FieldNetwork, MgnoHasThePublishedNumbersOfParameters) {
  MgnoOptions rough;  // Darcy flow with rough coefficients
  EXPECT_EQ(mgno(rough).parameters(), 572661u);
  MgnoOptions flow;  // Navier–Stokes on 64², with weights of its normalisations for each point
  flow.layers = 5;
  flow.cycle.channels = 32;
  flow.cycle.smoothing = {{1, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}};
  flow.cycle.boundary = Boundary::periodic;
  flow.cycle.smoother_bias = true;
  flow.cycle.norm = {64 * 64, 32 * 32, 16 * 16, 8 * 8};
  flow.skip = false;
  EXPECT_EQ(mgno(flow).parameters(), 2885194u);
}

/// A network for inference, whose fields share memory, gives the same bits, and so do smaller batches.
TYPED_TEST(FieldNetworks, InferenceIsTheSame) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  using Network = PlannedFieldNetwork<T, E>;
  const E& executor = test::executor_of<TypeParam>();
  for (const Case& c : cases()) {
    const FieldNetwork& network = c.network;
    const std::size_t batch = 3, size = points(c.grid) * network.inputs(),
                      set = points(c.query.grid) * c.coordinates, sets = c.query.shared ? 1 : batch;
    Network training(executor, network, c.grid, batch, Network::Use::training, c.query),
        inference(executor, network, c.grid, batch, Network::Use::inference, c.query);
    const std::vector<double> theta = network.initial_parameters(1), x = numbers(batch * size, 4),
                              asked = numbers(set > 0 ? sets * set : 0, 5);
    const auto from = [&](Network& planned, std::size_t b) {
      return output_of<T>(
          executor, planned, theta, {x.begin(), x.begin() + std::ptrdiff_t(b * size)}, b, network.inputs(),
          {asked.begin(), asked.begin() + std::ptrdiff_t(c.query.shared ? asked.size() : b * set)},
          set == 0         ? 0
          : c.query.shared ? 1
                           : b,
          c.coordinates);
    };
    const auto want = from(training, batch);
    EXPECT_EQ(from(inference, batch), want);
    const auto one = from(inference, 1);
    EXPECT_EQ(one, std::vector<double>(want.begin(), want.begin() + std::ptrdiff_t(one.size())));
    if (network.slots() > 8) {
      EXPECT_LT(inference.scratch_bytes(), training.scratch_bytes());
    }
    auto g = zeros<T>(executor, theta.size());
    EXPECT_THROW(inference.backward(View<const T, 1>(g.data(), g.size()), View<const T, 3>(nullptr, 0, 0, 0),
                                    View<T, 1>(g.data(), g.size())),
                 ArgumentError);
    EXPECT_THROW(training.input_adjoint(), ArgumentError);
  }
}

/// A band-limited field gives the same values at the points that two grids share.
TEST(FieldNetwork, GivesTheSameOnAFinerGrid) {
  FnoOptions o;
  o.width = 6;
  o.modes = lowest_modes({3, 3});
  o.layers = 1;  // no σ: what comes out is band-limited as well
  o.projection = 4;
  const FieldNetwork network = fno(o);
  const auto values = [&](std::size_t n) {
    std::vector<double> x;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        x.push_back(std::sin(2 * std::numbers::pi * double(i) / double(n)) +
                    std::cos(4 * std::numbers::pi * double(j) / double(n)));
    PlannedFieldNetwork<double> planned(Cpu(1), network, {n, n}, 1);
    return output_of<double>(Cpu(1), planned, network.initial_parameters(2), x, 1, 1);
  };
  const auto coarse = values(8), fine = values(24);
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(coarse[i * 8 + j], fine[i * 3 * 24 + j * 3], 1e-13);
}

/// u(y) = Σ_k b_k t_k(y) + c, by hand: without hidden layers b = W a + w and t = tanh(V y + v).
TEST(FieldNetwork, DeepOnetIsItsFormula) {
  DeepOnetOptions o;
  o.sensors = 3;
  o.branch = o.trunk = {};
  o.basis = 2;
  o.outputs = 2;
  const FieldNetwork network = deeponet(o);
  using Planned = PlannedFieldNetwork<double>;
  Planned planned(Cpu(1), network, {3}, 1, Planned::Use::inference, {{4}, true});
  std::vector<double> theta = numbers(network.parameters(), 1);
  const std::vector<double> a = numbers(3, 2), y = numbers(4, 3);
  const auto got = output_of<double>(Cpu(1), planned, theta, a, 1, 1, y, 1, 1);
  ASSERT_EQ(network.parameters(), 3u * 4 + 4 + 4 + 4 + 2);
  for (std::size_t p = 0; p < 4; ++p)
    for (std::size_t i = 0; i < 2; ++i) {
      double want = theta[24 + i];
      for (std::size_t k = 2 * i; k < 2 * i + 2; ++k) {
        double b = theta[12 + k];
        for (std::size_t c = 0; c < 3; ++c) b += a[c] * theta[c * 4 + k];
        want += b * std::tanh(y[p] * theta[16 + k] + theta[20 + k]);
      }
      EXPECT_NEAR(got[p * 2 + i], want, 1e-13);
    }
}

TEST(FieldNetwork, CountsTheParametersOfThePapers) {
  FnoOptions burgers;
  burgers.width = 64;
  burgers.modes = lowest_modes({16});
  burgers.coordinates = {{0, 1}};
  EXPECT_EQ(fno(burgers).parameters(), 549569u);
  FnoOptions darcy;
  darcy.modes = lowest_modes({12, 12});
  darcy.coordinates = {{0, 1}, {0, 1}};
  darcy.padding = {{0, 9, 0}, {0, 9, 0}};
  EXPECT_EQ(fno(darcy).parameters(), 2368001u);
}

TEST(FieldNetwork, RefusesWhatDoesNotFit) {
  EXPECT_THROW(FieldNetwork(4, 1), ArgumentError);
  EXPECT_THROW(FieldNetwork(1, 0), ArgumentError);
  FieldNetwork network(2, 1);
  EXPECT_THROW(network.mix(1, 2, FieldActivation::gelu, "a"), ArgumentError);
  EXPECT_THROW(network.mix(0, 2, FieldActivation::gelu, "a", true, 0), ArgumentError);
  EXPECT_THROW(network.spectral(0, 2, lowest_modes({1}), "a"), ArgumentError);
  EXPECT_THROW(network.pad(0, {{1, 1, 0}}), ArgumentError);
  EXPECT_THROW(network.flatten(0, 0), ArgumentError);
  EXPECT_THROW(network.flatten(3, 4), ArgumentError);
  EXPECT_THROW(network.basis(0, 0, 2, "a"), ArgumentError);
  FieldNetwork asked(1, 1);
  asked.basis(asked.flatten(0, 3), asked.mix(asked.query(2), 3, FieldActivation::tanh, "t"), 1, "out");
  EXPECT_THROW(PlannedFieldNetwork<double>(Cpu(1), asked, {3}, 1), ArgumentError);  // no points
  using Planned = PlannedFieldNetwork<double>;
  EXPECT_THROW(Planned(Cpu(1), asked, {4}, 1, Planned::Use::training, {{2}, true}), ArgumentError);
  Planned at_points(Cpu(1), asked, {3}, 1, Planned::Use::training, {{2}, true});
  std::vector<double> few(asked.parameters() + 3);
  EXPECT_THROW(at_points.forward(View<const double, 1>(few.data(), asked.parameters()),
                                 View<const double, 3>(few.data(), 1, 3, 1)),
               ArgumentError);
  network.mix(0, 2, FieldActivation::identity, "a");
  EXPECT_THROW(PlannedFieldNetwork<double>(Cpu(1), network, {4}, 1), ArgumentError);
  PlannedFieldNetwork<double> planned(Cpu(1), network, {4, 4}, 1);
  std::vector<double> theta(network.parameters()), x(32);
  EXPECT_THROW(planned.forward(View<const double, 1>(theta.data(), theta.size()),
                               View<const double, 3>(x.data(), 2, 16, 1)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
