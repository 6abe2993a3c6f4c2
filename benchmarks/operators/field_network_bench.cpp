// SPDX-License-Identifier: Apache-2.0
// What operator models are timed by, as benchmarks/peers/operators.py times other tools: a spectral
// convolution and a multigrid cycle, forward and backward to input and weights, and a whole training step of
// a Fourier neural operator without its optimiser. FLOPs are those of the layers' definitions by truncated
// sums.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/field_network.hpp"
#include "sobolev/operators/relative_l2.hpp"
#include "sobolev/spectral/mode_product.hpp"
#include "sobolev/spectral/truncated_transform.hpp"

namespace sobolev::bench {
namespace {
template <class E>
void wait_for([[maybe_unused]] const E& executor) {
#if SOBOLEV_HAS_CUDA
  if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
}

struct Work {
  const char* name;
  std::size_t batch, channels;
  std::vector<std::size_t> grid, modes;
};
const std::vector<Work>& convolutions() {
  static const std::vector<Work> all{{"2d_64", 16, 32, {64, 64}, {12, 12}},
                                     {"2d_128", 16, 32, {128, 128}, {12, 12}},
                                     {"1d_1024", 16, 32, {1024}, {16}},
                                     {"1d_8192", 16, 32, {8192}, {16}},
                                     {"3d_32", 4, 20, {32, 32, 32}, {8, 8, 8}}};
  return all;
}

template <class T, class E>
void spectral_conv(benchmark::State& state, const E& executor, const Work& work) {
  TruncatedTransform<T, E> transform(executor, work.grid, lowest_modes(work.modes));
  const std::size_t b = work.batch, c = work.channels, n = transform.points(), m = transform.mode_count();
  const std::vector<T> field = numbers<T>(b * n * c), weights = numbers<T>(m * 2 * c * c, 1e-3);
  auto x = zeros<T>(executor, b * n * c), y = zeros<T>(executor, b * n * c),
       r = zeros<T>(executor, m * 2 * c * c), r_bar = zeros<T>(executor, m * 2 * c * c),
       v = zeros<T>(executor, b * m * 2 * c), w = zeros<T>(executor, b * m * 2 * c),
       v_bar = zeros<T>(executor, b * m * 2 * c);
  const View<T, 3> x_view(x.data(), b, n, c), y_view(y.data(), b, n, c);
  const auto modes = [&](auto& buffer) { return View<T, 4>(buffer.data(), b, m, 2, c); };
  const View<T, 4> r_view(r.data(), m, 2, c, c), r_bar_view(r_bar.data(), m, 2, c, c);
  upload<T, 3>(executor, View<const T, 3>(field.data(), b, n, c), x_view);
  upload<T, 4>(executor, View<const T, 4>(weights.data(), m, 2, c, c), r_view);
  const double limit = peak<T>(executor);
  const auto pass = [&] {
    transform.analyse(x_view, modes(v));
    mode_product<T>(executor, modes(v), r_view, modes(w));
    transform.synthesise(modes(w), y_view);
    transform.synthesise_adjoint(y_view, modes(w));
    mode_product_weight_adjoint<T>(executor, modes(v), modes(w), r_bar_view);
    mode_product_input_adjoint<T>(executor, modes(w), r_view, modes(v_bar));
    transform.analyse_adjoint(modes(v_bar), y_view);
    wait_for(executor);
  };
  pass();
  for (auto _ : state) pass();
  double flops = 24 * double(b * m) * double(c * c), rest = double(n), inner = 1;
  for (std::size_t a = work.grid.size(); a-- > 0;) {
    const double count = double(transform.modes()[a].count());
    rest /= double(work.grid[a]);
    // Four transforms; 2 real, elsewhere 8 FLOPs per point and frequency.
    flops +=
        4 * double(b * c) * (a + 1 == work.grid.size() ? 4 : 8) * rest * double(work.grid[a]) * count * inner;
    inner *= count;
  }
  report_flops(state, flops, limit);
}

template <class T, class E>
void fno_step(benchmark::State& state, const E& executor) {
  const std::size_t side = 85, n = side * side, batch = 20;
  FnoOptions options;
  options.modes = lowest_modes({12, 12});
  options.coordinates = {{0, 1}, {0, 1}};
  const FieldNetwork network = fno(options);
  PlannedFieldNetwork<T, E> planned(executor, network, {side, side}, batch);
  const std::vector<double> start = network.initial_parameters(1);
  const std::vector<T> host(start.begin(), start.end()), field = numbers<T>(batch * n);
  auto theta = zeros<T>(executor, host.size()), gradient = zeros<T>(executor, host.size()),
       x = zeros<T>(executor, batch * n), y_bar = zeros<T>(executor, batch * n);
  auto errors = zeros<double>(executor, batch), loss = zeros<double>(executor, 1);
  upload<T, 1>(executor, View<const T, 1>(host.data(), host.size()), View<T, 1>(theta.data(), host.size()));
  upload<T, 1>(executor, View<const T, 1>(field.data(), field.size()), View<T, 1>(x.data(), field.size()));
  const View<const T, 1> parameters(theta.data(), theta.size()), none(nullptr, 0);
  const View<T, 3> input(x.data(), batch, n, 1), bar(y_bar.data(), batch, n, 1);
  const auto step = [&] {
    const View<const T, 3> y = planned.forward(parameters, input);
    relative_l2<T>(executor, y, none, none, View<const T, 3>(input), View<double, 1>(errors.data(), batch),
                   View<double, 1>(loss.data(), 1), bar);
    planned.backward(parameters, bar, View<T, 1>(gradient.data(), gradient.size()));
    wait_for(executor);
  };
  step();
  for (auto _ : state) step();
  state.counters["MB"] = double(planned.scratch_bytes()) * 1e-6;
}

/// A multigrid cycle of 24 channels, batch 8, from 256² points to 8², with the adjoint of its right side.
template <class T, class E>
void v_cycle(benchmark::State& state, const E& executor) {
  const std::size_t side = 256, n = side * side, batch = 8, c = 24;
  FieldNetwork network(2, c);
  multigrid(network, 0, {}, FieldActivation::identity, "cycle");
  using Network = PlannedFieldNetwork<T, E>;
  Network planned(executor, network, {side, side}, batch, Network::Use::training, {}, true);
  const std::vector<double> start = network.initial_parameters(1);
  const std::vector<T> host(start.begin(), start.end()), field = numbers<T>(batch * n * c);
  auto theta = zeros<T>(executor, host.size()), gradient = zeros<T>(executor, host.size()),
       f = zeros<T>(executor, batch * n * c), u_bar = zeros<T>(executor, batch * n * c);
  upload<T, 1>(executor, View<const T, 1>(host.data(), host.size()), View<T, 1>(theta.data(), host.size()));
  for (auto* to : {&f, &u_bar})
    upload<T, 1>(executor, View<const T, 1>(field.data(), field.size()),
                 View<T, 1>(to->data(), field.size()));
  const View<const T, 1> parameters(theta.data(), theta.size());
  const View<const T, 3> right(f.data(), batch, n, c), bar(u_bar.data(), batch, n, c);
  const double limit = peak<T>(executor);
  const auto pass = [&] {
    planned.forward(parameters, right);
    planned.backward(parameters, bar, View<T, 1>(gradient.data(), gradient.size()));
    wait_for(executor);
  };
  pass();
  for (auto _ : state) pass();
  // Taps × points of all convolutions: S on the finest level, S and A below, a step more on the coarsest; two
  // restrictions to, and a prolongation from each coarser level, of which every output has 4 taps.
  double taps = 9 * double(n);
  for (std::size_t m = n / 4, level = 1; level < 6; ++level, m /= 4)
    taps += double(m) * (9 * (level == 5 ? 4 : 2) + 9 * 2 + 4 * 4);
  report_flops(state, 6 * double(batch) * taps * double(c * c), limit);
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const auto& executor, const std::string& where) {
    using E = std::remove_cvref_t<decltype(executor)>;
    for (const Work& work : convolutions())
      benchmark::RegisterBenchmark((std::string("spectral_conv/") + work.name + where).c_str(),
                                   spectral_conv<float, E>, executor, work)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("fno_step/85x85" + where).c_str(), fno_step<float, E>, executor)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("v_cycle/256" + where).c_str(), v_cycle<float, E>, executor)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  add(cpu(), "");
#if SOBOLEV_HAS_CUDA
  on_cuda([&](const Cuda& cuda) { add(cuda, "/cuda"); });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
