// SPDX-License-Identifier: Apache-2.0
// The multigrid solver alone: −∇·(a ∇u) = 1 to a residual of 1e-10, with a = 1 and with patches of 12 and 3,
// set-up included. One thread.
#include <cmath>

#include "benchmarks/limits.hpp"
#include "sobolev/data/darcy_solver.hpp"

namespace sobolev::bench {
namespace {
void darcy_solver(benchmark::State& state, bool patches) {
  const std::size_t n = std::size_t(state.range(0));
  std::vector<double> a(n * n, 1), f(n * n, 1), u(n * n);
  for (std::size_t i = 0; patches && i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double x = double(i) / double(n), y = double(j) / double(n);
      a[i * n + j] = std::sin(13 * x + 3 * y) + std::cos(11 * y - 5 * x * y) >= 0 ? 12 : 3;
    }
  int iterations = 0;
  for (auto _ : state) {
    DarcySolver solver(n, GridPoints::nodes);
    iterations = solver.solve(View<const double, 2>(a.data(), n, n), View<const double, 2>(f.data(), n, n),
                              View<double, 2>(u.data(), n, n), 1e-10);
    benchmark::DoNotOptimize(u.data());
  }
  state.counters["iterations"] = iterations;
  state.counters["unknowns/s"] =
      benchmark::Counter(double(n * n), benchmark::Counter::kIsIterationInvariantRate);
}
[[maybe_unused]] const bool registered = [] {
  for (const bool patches : {false, true}) {
    auto* b = benchmark::RegisterBenchmark(patches ? "darcy_solver/patches" : "darcy_solver/poisson",
                                           darcy_solver, patches);
    for (const int n : {421, 1025, 2049, 4097}) b->Arg(n);
    b->UseRealTime()->Unit(benchmark::kMillisecond);
  }
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
