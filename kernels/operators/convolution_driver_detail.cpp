// SPDX-License-Identifier: Apache-2.0
// How a convolution is cut up: strips of rows of a sample, each one thread's; pieces of rows within.
#include "kernels/common/dispatch.hpp"

#if SOBOLEV_DISPATCHER
#include <omp.h>

#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/operators/convolution_plan.hpp"
#include "kernels/operators/convolution_row.hpp"
#include "kernels/operators/slope_rows.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t most_terms = 512;  // taps of three axes
std::size_t lines(std::size_t n) { return (n + 15) / 16 * 16; }
std::size_t plane_pitch(std::size_t segment) { return lines(segment); }

/// Memory of a thread, in numbers: planes that are read, sums of a row, points of those, what is folded, ȳ.
struct Room {
  std::size_t sources, sums, turned, folds, bars;
  std::size_t all() const { return sources + sums + turned + folds + bars; }
};
Room room_for(const Gather& g, std::size_t channels, std::size_t outputs) {
  return {lines(g.most_read * g.row.read.size() * channels * g.pitch),
          lines(outputs * plane_pitch(g.segment) + g.row.reach + 16), 16 * lines(outputs),
          lines(g.row.folds.size() * outputs),
          lines(g.most_rows * g.row.phases * outputs * plane_pitch(g.segment))};
}
template <class T>
std::size_t thread_room(const ConvolutionPlan<T, Cpu>& plan) {
  return std::max(room_for(plan.forward, plan.inputs, plan.outputs).all(),
                  room_for(plan.adjoint, plan.outputs, plan.inputs).all());
}

/// W as the kernels read it, or its transpose.      weight : [taps, C, O]
template <class T>
void pack(const T* weight, std::size_t taps, std::size_t inputs, std::size_t outputs, bool turned, T* to) {
  const std::size_t channels = turned ? outputs : inputs, out = turned ? inputs : outputs;
  std::size_t o = 0;
  for (std::size_t n = SOBOLEV_CALL(convolution_block); n >= 1; n /= 2)
    for (; o + n <= out; o += n)
      for (std::size_t k = 0; k < taps; ++k)
        for (std::size_t c = 0; c < channels; ++c)
          for (std::size_t i = 0; i < n; ++i)
            *to++ = turned ? weight[(k * inputs + o + i) * outputs + c]
                           : weight[(k * inputs + c) * outputs + o + i];
}

/// The planes of the rows that a strip reads, of entries `at` … of each phase.
template <class T>
void read_rows(const Gather& g, const Strip& strip, const T* x, std::size_t row_points, std::size_t channels,
               std::size_t at, std::size_t count, T* planes) {
  const std::size_t phases = g.row.read.size(), plane = channels * g.pitch;
  for (std::size_t r = 0; r < strip.read.size(); ++r)
    for (std::size_t f = 0; f < phases; ++f)
      SOBOLEV_CALL(planes_of_row<T>, x + strip.read[r] * row_points * channels, channels,
                   g.row.read[f].data(), int(phases), at, count + g.row.reach, g.row.read[f].size(), g.pitch,
                   planes + (r * phases + f) * plane);
}

template <class T>
struct Epilogue {
  const T *bias, *added;
  FieldActivation activation;
  T* slope;
};

/// Computes the rows of a strip of one sample.
template <class T>
void compute_strip(const Gather& g, const Strip& strip, std::size_t width, std::size_t taps, const T* x,
                   std::size_t read_points, std::size_t channels, const T* weight, std::size_t outputs,
                   const Epilogue<T>& epilogue, bool add, T* y, T* memory) {
  const RowRule& rule = g.row;
  const Room room = room_for(g, channels, outputs);
  T *const planes = memory, *const sums = planes + room.sources, *const turned = sums + room.sums,
           *const folds = turned + room.turned;
  const std::size_t entries = rule.entries(), out_pitch = plane_pitch(g.segment);
  const std::size_t phases = rule.read.size();
  // Folds of all rows wait until a row is whole: pieces are the outer loop, so only one row's fit; a row that
  // is longer than a piece is taken by itself.
  const bool whole = entries <= g.segment;
  RowTerm<T> terms[most_terms];
  const auto row = [&](std::size_t q, std::size_t at, std::size_t count) {
    T* const out = y + (strip.first + q) * rule.points * outputs;
    const auto beside = [&](auto* of) {
      return of == nullptr ? of : of + (strip.first + q) * rule.points * outputs;
    };
    for (std::size_t r = 0; r < rule.phases; ++r) {
      const std::size_t own = at < rule.count[r] ? std::min(count, rule.count[r] - at) : 0;
      if (own == 0) continue;
      std::size_t n = 0;
      for (const Strip::RowTap& outer : strip.taps[q])
        for (const RowRule::Tap& tap : rule.taps[r])
          terms[n++] = {planes + (outer.place * phases + tap.phase) * channels * g.pitch + tap.shift,
                        outer.outer_tap * width + tap.tap};
      SOBOLEV_CALL(convolution_sums<T>, terms, n, taps, channels, g.pitch, own, weight, outputs, sums,
                   out_pitch);
      for (std::size_t f = 0; f < rule.folds.size(); ++f)
        if (rule.folds[f].phase == r && rule.folds[f].entry >= at && rule.folds[f].entry < at + own)
          for (std::size_t o = 0; o < outputs; ++o)
            folds[f * outputs + o] = sums[o * out_pitch + rule.folds[f].entry - at];
      // Entry t is the point phases (at + t) + r − offset.
      std::size_t skip = 0;
      while (skip < own && rule.phases * (at + skip) + r < rule.offset) ++skip;
      if (skip == own) continue;
      const std::size_t first = rule.phases * (at + skip) + r - rule.offset;
      if (first >= rule.points) continue;
      const std::size_t fit = std::min(own - skip, (rule.points - first + rule.phases - 1) / rule.phases);
      const RowTarget<T> to{first,
                            rule.phases,
                            fit,
                            epilogue.bias,
                            add ? out : beside(epilogue.added),
                            epilogue.activation,
                            out,
                            beside(epilogue.slope)};
      SOBOLEV_CALL(row_of_planes<T>, sums + skip, out_pitch, outputs, to, turned);
    }
  };
  const auto fold = [&](std::size_t q) {
    T* const out = y + (strip.first + q) * rule.points * outputs;
    for (std::size_t f = 0; f < rule.folds.size(); ++f)
      for (std::size_t o = 0; o < outputs; ++o)
        out[rule.folds[f].point * outputs + o] += folds[f * outputs + o];
  };
  const std::size_t rows = strip.last - strip.first;
  if (whole) {
    read_rows<T>(g, strip, x, read_points, channels, 0, entries, planes);
    for (std::size_t q = 0; q < rows; ++q) {
      row(q, 0, entries);
      fold(q);
    }
    return;
  }
  for (std::size_t q = 0; q < rows; ++q) {
    for (std::size_t at = 0; at < entries; at += g.segment) {
      const std::size_t count = std::min(g.segment, entries - at);
      read_rows<T>(g, strip, x, read_points, channels, at, count, planes);
      row(q, at, count);
    }
    fold(q);
  }
}

/// Adds a strip of one sample to W̄.
template <class T>
void add_weights(const ConvolutionPlan<T, Cpu>& plan, const Strip& strip, const T* x, const T* y_bar,
                 T* weight_bar, T* memory) {
  const Gather& g = plan.forward;
  const RowRule& rule = g.row;
  const Room room = room_for(g, plan.inputs, plan.outputs);
  T *const planes = memory, *const bars = memory + room.all() - room.bars;
  const std::size_t rows = strip.last - strip.first, bar_pitch = plane_pitch(g.segment),
                    bar_plane = plan.outputs * bar_pitch,
                    row_plane = rule.read.size() * plan.inputs * g.pitch, entries = rule.entries(),
                    outer_taps = plan.taps / plan.options.width;
  const T *sources[most_strip_rows], *bar_rows[most_strip_rows];
  for (std::size_t at = 0; at < entries; at += g.segment) {
    const std::size_t count = std::min(g.segment, entries - at);
    read_rows<T>(g, strip, x, plan.grid.back(), plan.inputs, at, count, planes);
    for (std::size_t q = 0; q < rows; ++q)
      for (std::size_t r = 0; r < rule.phases; ++r)
        SOBOLEV_CALL(planes_of_row<T>, y_bar + (strip.first + q) * rule.points * plan.outputs, plan.outputs,
                     rule.image.data() + r * entries, int(rule.phases), at, count, entries, bar_pitch,
                     bars + (q * rule.phases + r) * bar_plane);
    for (std::size_t r = 0; r < rule.phases; ++r) {
      const std::size_t own = at < rule.count[r] ? std::min(count, rule.count[r] - at) : 0;
      if (own == 0 || plan.offsets[r].empty()) continue;
      for (std::size_t k = 0; k < outer_taps; ++k) {
        std::size_t some = 0;
        for (std::size_t q = 0; q < rows; ++q)
          for (const Strip::RowTap& outer : strip.taps[q])
            if (outer.outer_tap == k) {
              sources[some] = planes + outer.place * row_plane;
              bar_rows[some++] = bars + (q * rule.phases + r) * bar_plane;
            }
        if (some > 0)
          SOBOLEV_CALL(weight_sums<T>, sources, bar_rows, some, plan.offsets[r].data(),
                       plan.offsets[r].size(), plan.outputs, bar_pitch, own, plan.targets[r].data(),
                       weight_bar + k * plan.options.width * plan.inputs * plan.outputs);
      }
    }
  }
}

template <class T, class F>
void for_strips(const Cpu& cpu, const Gather& g, std::size_t batch, double flops, T* memory, std::size_t room,
                const F& f) {
  const std::size_t tasks = batch * g.strips.size();
  const int threads = threads_for(cpu, flops);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t task = 0; task < tasks; ++task)
    f(task / g.strips.size(), g.strips[task % g.strips.size()],
      memory + std::size_t(omp_get_thread_num()) * room);
}
template <class V>
auto data_or_null(const V& view) {
  return view.size() > 0 ? view.data() : nullptr;
}
}  // namespace

template <class T>
std::size_t convolution_workspace(const Cpu& cpu, const ConvolutionPlan<T, Cpu>& plan) {
  const std::size_t weights = plan.taps * plan.inputs * plan.outputs;
  return lines(weights) + convolution_parts * lines(weights + plan.outputs) +
         std::size_t(cpu.threads()) * thread_room(plan);
}

template <class T>
void convolve(const Cpu& cpu, ConvolutionPlan<T, Cpu>& plan, FieldActivation activation, View<const T, 3> x,
              View<const T, 1> weight, View<const T, 1> bias, View<const T, 3> added, View<T, 3> y,
              View<T, 3> slope) {
  const Gather& g = plan.forward;
  const std::size_t batch = x.extent(0), row = plan.grid.back();
  T* const packed = plan.workspace.data();
  T* const memory = packed + lines(weight.size());
  pack(weight.data(), plan.taps, plan.inputs, plan.outputs, false, packed);
  const double flops = 2 * double(batch * plan.output_points) * double(weight.size());
  for_strips(cpu, g, batch, flops, memory, thread_room(plan), [&](std::size_t b, const Strip& strip, T* own) {
    const auto at = [&](auto* of) { return of == nullptr ? of : of + b * plan.output_points * plan.outputs; };
    const Epilogue<T> epilogue{data_or_null(bias), at(data_or_null(added)), activation,
                               at(data_or_null(slope))};
    compute_strip<T>(g, strip, plan.options.width, plan.taps, x.data() + b * plan.points * plan.inputs, row,
                     plan.inputs, packed, plan.outputs, epilogue, false, at(y.data()), own);
  });
}

template <class T>
void convolve_adjoint(const Cpu& cpu, ConvolutionPlan<T, Cpu>& plan, View<const T, 3> x,
                      View<const T, 1> weight, View<const T, 3> slope, View<T, 3> y_bar, View<T, 3> x_bar,
                      bool add, View<T, 1> weight_bar, View<T, 1> bias_bar) {
  const std::size_t batch = x.extent(0), size = weight.size(), outputs = plan.outputs;
  T* const packed = plan.workspace.data();
  T* const sums = packed + lines(size);
  const std::size_t part_size = lines(size + outputs), room = thread_room(plan);
  T* const memory = sums + convolution_parts * part_size;
  const std::size_t rows = batch * plan.output_points;
  const double flops = 2 * double(rows) * double(size);
  const Gather& g = plan.forward;
  const std::size_t tasks = batch * g.strips.size(), parts = std::min(tasks, convolution_parts);
  const int threads = threads_for(cpu, flops);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t part = 0; part < parts; ++part) {
    T* const own = sums + part * part_size;
    std::fill_n(own, size + outputs, T(0));
    for (std::size_t task = part * tasks / parts; task < (part + 1) * tasks / parts; ++task) {
      const Strip& strip = g.strips[task % g.strips.size()];
      const std::size_t sample = task / g.strips.size() * plan.output_points,
                        row_points = plan.output_grid.back();
      T* const bar = y_bar.data() + sample * outputs;
      if (slope.size() > 0 || bias_bar.size() > 0)
        SOBOLEV_CALL(
            slope_rows<T>,
            slope.size() > 0 ? slope.data() + (sample + strip.first * row_points) * outputs : nullptr,
            (strip.last - strip.first) * row_points, outputs, bar + strip.first * row_points * outputs,
            own + size);
      add_weights<T>(plan, strip, x.data() + task / g.strips.size() * plan.points * plan.inputs, bar, own,
                     memory + std::size_t(omp_get_thread_num()) * room);
    }
  }
  for (std::size_t part = 0; part < parts; ++part) {
    const T* const own = sums + part * part_size;
    for (std::size_t i = 0; i < size; ++i) weight_bar.data()[i] += own[i];
    for (std::size_t o = 0; o < bias_bar.size(); ++o) bias_bar.data()[o] += own[size + o];
  }
  if (x_bar.size() == 0) return;
  pack(weight.data(), plan.taps, plan.inputs, outputs, true, packed);
  for_strips(cpu, plan.adjoint, batch, flops, memory, room, [&](std::size_t b, const Strip& strip, T* own) {
    compute_strip<T>(plan.adjoint, strip, plan.options.width, plan.taps,
                     y_bar.data() + b * plan.output_points * outputs, plan.output_grid.back(), outputs,
                     packed, plan.inputs, {nullptr, nullptr, FieldActivation::identity, nullptr}, add,
                     x_bar.data() + b * plan.points * plan.inputs, own);
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                             \
  template std::size_t convolution_workspace<T>(const Cpu&, const ConvolutionPlan<T, Cpu>&);               \
  template void convolve<T>(const Cpu&, ConvolutionPlan<T, Cpu>&, FieldActivation, View<const T, 3>,       \
                            View<const T, 1>, View<const T, 1>, View<const T, 3>, View<T, 3>, View<T, 3>); \
  template void convolve_adjoint<T>(const Cpu&, ConvolutionPlan<T, Cpu>&, View<const T, 3>,                \
                                    View<const T, 1>, View<const T, 3>, View<T, 3>, View<T, 3>, bool,      \
                                    View<T, 1>, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::detail
#endif
