// SPDX-License-Identifier: Apache-2.0
// The lowest Fourier coefficients of real fields and back.        x : [B, N, C], v : [B, M, 2, C]
// One axis after the other (axis_transform_detail.cpp), the last one first; a sample at a time by each
// thread, so that what lies between two axes stays in its L2 cache. Reads 4 N C and writes 8 M C bytes a
// sample (float32); FLOPs n M_d N/n_d + … , about 2 N M_d C for the last axis and less for the others: bound
// by the FMA units for M ≥ 6 a axis, else by memory.
#include "kernels/common/dispatch.hpp"

#if SOBOLEV_DISPATCHER
#include <omp.h>

#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/spectral/axis_task.hpp"
#include "kernels/spectral/truncated_transform_plan.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t units_at_a_time = 64;

template <class T>
AxisTask<T> task_of(const TransformPlan<T, Cpu>& plan, const AxisStage& stage, Transform which,
                    std::size_t channels, bool add) {
  const AxisShape& axis = plan.axes[stage.axis];
  return {plan.tables.data() + plan.table_at[std::size_t(which)][stage.axis],
          axis.points,
          axis.folded,
          axis.even(),
          axis.odd(),
          axis.low,
          axis.high,
          axis.resolved_low,
          axis.resolved_high,
          axis.halves,
          stage.real,
          add && stage.real,
          stage.outer,
          stage.inner,
          channels};
}

/// Runs f(sample, threads, memory of the thread) for all samples: each by one thread, or one by all.
template <class T, class F>
void for_samples(const Cpu& cpu, TransformPlan<T, Cpu>& plan, std::size_t batch, std::size_t channels,
                 const F& f) {
  std::size_t magnitudes = 0;
  for (const AxisShape& axis : plan.axes) magnitudes = std::max(magnitudes, axis.magnitudes);
  const auto lines = [](std::size_t n) { return (n + 15) / 16 * 16; };
  const std::size_t scratch = lines(SOBOLEV_CALL(axis_scratch<T>, magnitudes)),
                    stage = lines(plan.stage_size * channels), threads = std::size_t(cpu.threads());
  const bool whole = batch >= threads;
  const std::size_t stages = whole ? threads : 1, need = threads * scratch + stages * 2 * stage;
  if (plan.workspace.size() < need) plan.workspace = Buffer<T>(need);
  T* const memory = plan.workspace.data() + threads * scratch;
  const auto run = [&](std::size_t b, std::size_t thread, int inside) {
    T* const between[2] = {memory + thread * 2 * stage, memory + thread * 2 * stage + stage};
    f(b, between, [&](const AxisTask<T>& task, const auto& range) {
      const std::size_t units = SOBOLEV_CALL(axis_units<T>, task);
      if (inside == 1) return range(std::size_t(0), units, plan.workspace.data() + thread * scratch);
#pragma omp parallel for num_threads(inside) schedule(static)
      for (std::size_t u = 0; u < units; u += units_at_a_time)
        range(u, std::min(units, u + units_at_a_time),
              plan.workspace.data() + std::size_t(omp_get_thread_num()) * scratch);
    });
  };
  if (whole) {
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
    for (std::size_t b = 0; b < batch; ++b) run(b, std::size_t(omp_get_thread_num()), 1);
  } else {
    for (std::size_t b = 0; b < batch; ++b) run(b, 0, cpu.threads());
  }
}
}  // namespace

template <class T>
void transform_to_modes(const Cpu& cpu, TransformPlan<T, Cpu>& plan, Transform which, View<const T, 3> x,
                        View<T, 4> v) {
  const std::size_t batch = x.extent(0), channels = x.extent(2);
  if (batch * channels == 0) return;
  const auto& stages = plan.stages;
  for_samples(cpu, plan, batch, channels, [&](std::size_t b, T* const* between, const auto& run) {
    const T* from = x.data() + b * plan.points * channels;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      T* const to = s + 1 == stages.size() ? v.data() + b * plan.mode_count * 2 * channels : between[s % 2];
      const AxisTask<T> task = task_of(plan, stages[s], which, channels, false);
      run(task, [&](std::size_t first, std::size_t last, T* scratch) {
        SOBOLEV_CALL(axis_to_modes_range<T>, task, from, to, first, last, scratch);
      });
      from = to;
    }
  });
}

template <class T>
void transform_to_points(const Cpu& cpu, TransformPlan<T, Cpu>& plan, Transform which, View<const T, 4> v,
                         View<T, 3> x, bool add) {
  const std::size_t batch = x.extent(0), channels = x.extent(2);
  if (batch * channels == 0) return;
  const auto& stages = plan.stages;
  for_samples(cpu, plan, batch, channels, [&](std::size_t b, T* const* between, const auto& run) {
    const T* from = v.data() + b * plan.mode_count * 2 * channels;
    for (std::size_t s = stages.size(); s-- > 0;) {
      T* const to = s == 0 ? x.data() + b * plan.points * channels : between[s % 2];
      const AxisTask<T> task = task_of(plan, stages[s], which, channels, add);
      run(task, [&](std::size_t first, std::size_t last, T* scratch) {
        SOBOLEV_CALL(axis_to_points_range<T>, task, from, to, first, last, scratch);
      });
      from = to;
    }
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                          \
  template void transform_to_modes<T>(const Cpu&, TransformPlan<T, Cpu>&, Transform, View<const T, 3>,  \
                                      View<T, 4>);                                                      \
  template void transform_to_points<T>(const Cpu&, TransformPlan<T, Cpu>&, Transform, View<const T, 4>, \
                                       View<T, 3>, bool);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::detail
#endif
