// SPDX-License-Identifier: Apache-2.0
// Example 06: a training loop of one's own, on one's own memory and stream: u'' = −π² sin(πx), u(±1) = 0, by
// a residual objective put together by hand and Levenberg–Marquardt; then u on other points by a planned
// network. After its first iteration nothing takes memory; on a device the planned calls can be recorded in a
// CudaGraph.
//
// Expect: error below 1e-4
#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/network/network.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "sobolev/pinn/residual_objective.hpp"

using namespace sobolev;

template <class E>
double largest_error(const E& executor) {
  constexpr double pi = std::numbers::pi;
  // What the tapes read: the coordinate, then derivatives of the network's output.
  const Expr x = coordinate("x"), u = unknown("u"), equation = d(u, x, 2) + pi * pi * sin(pi * x);
  MultiIndex xx;
  xx.order[0] = 2;
  const JetSpec second = JetSpec::closure(1, std::vector<MultiIndex>{xx}), value = JetSpec::closure(1, {});
  const Network network = mlp(1, 1, 2, 8);
  Features inputs(std::vector<std::string>{"x"});
  inputs.linear(0, 1, 0);

  ResidualObjective<double, E> objective(executor, network, inputs);
  const std::size_t n = 30, p = network.parameters();
  const int channel = second.channel_of(xx);
  objective.add_group({second,
                       {{0, channel, second.scale(channel)}},
                       compile(std::vector<Expr>{equation}, std::vector<Expr>{x, d(u, x, 2)}),
                       0,
                       {1.0 / double(n)}});
  objective.add_group({value, {{0, 0, 1}}, compile(std::vector<Expr>{u}, std::vector<Expr>{x, u}), 0, {1}});
  std::vector<double> points(n), ends{-1, 1}, start(p);
  for (std::size_t i = 0; i < n; ++i) points[i] = -1 + 2 * (double(i) + 0.5) / double(n);
  objective.set_points(0, View<const double, 2>(points.data(), n, 1));
  objective.set_points(1, View<const double, 2>(ends.data(), 2, 1));

  const Philox random(1, 0);
  for (std::size_t i = 0; i < p; ++i) start[i] = 0.5 * random.normal(i);
  auto theta = zeros<double>(executor, p);  // a Buffer or a DeviceBuffer; any memory of the executor will do
  const View<double, 1> parameters(theta.data(), p);
  upload<double, 1>(executor, View<const double, 1>(start.data(), p), parameters);
  LevenbergMarquardt<double, E> optimizer(executor, p);
  for (int i = 0; i < 40; ++i) optimizer.iterate(objective, parameters);
  std::printf("loss %.1e after 40 iterations\n", optimizer.outcome().loss);

  const std::size_t m = 201;
  std::vector<double> grid(m), values(m);
  for (std::size_t i = 0; i < m; ++i) grid[i] = -1 + double(i) / 100;
  auto in = zeros<double>(executor, m), out = zeros<double>(executor, m);
  upload<double, 1>(executor, View<const double, 1>(grid.data(), m), View<double, 1>(in.data(), m));
  PlannedNetwork<double, E> planned(executor, network, value, m);
  planned.forward(parameters, View<const double, 3>(in.data(), 1, 1, m),
                  View<double, 3>(out.data(), 1, 1, m));
  download<double, 1>(executor, View<const double, 1>(out.data(), m), View<double, 1>(values.data(), m));
  double worst = 0;
  for (std::size_t i = 0; i < m; ++i) worst = std::fmax(worst, std::abs(values[i] - std::sin(pi * grid[i])));
  return worst;
}

int main() {
  double error = 0;
#if SOBOLEV_HAS_CUDA
  if (Cuda::count() > 0) {
    const Cuda owner(0);  // stands for the program that owns the cudaStream_t
    const Cuda executor(0, owner.stream());
    error = largest_error(executor);
  } else {
    error = largest_error(Cpu());
  }
#else
  error = largest_error(Cpu());
#endif
  std::printf("largest error %.1e\nerror %s 1e-4\n", error, error < 1e-4 ? "below" : "above");
}
