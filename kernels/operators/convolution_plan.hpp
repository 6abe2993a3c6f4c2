// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a Convolution keeps: which points of x each point of y reads, axis by axis, and memory.
#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/convolution.hpp"

namespace sobolev::detail {

/// One tap of an axis and the point that it reads.
struct AxisTap {
  std::size_t tap, point;
};
/// By point that is computed.
using AxisTaps = std::vector<std::vector<AxisTap>>;

/// The last axis, whose points lie side by side in vectors. Points that are read are kept as `read.size()`
/// rows, one a phase: entry t of phase f is the point read[f][t], −1 for a zero. Points that are computed
/// have phases as well: entry i of phase r is the point phases i + r − offset if there is such a one, and is
/// the sum over taps[r] of entries i + shift.
struct RowRule {
  struct Tap {
    std::size_t tap, phase, shift;
  };
  struct Fold {
    std::size_t phase, entry, point;  // an entry without a point of its own, added to that one
  };
  std::vector<std::vector<int>> read;
  std::size_t phases = 1, offset = 0, points = 0;  // points: that are computed
  std::vector<std::vector<Tap>> taps;              // by phase
  std::vector<std::size_t> count;                  // entries, by phase
  std::vector<Fold> folds;
  std::size_t reach = 0;   // the largest shift
  std::vector<int> image;  // [phase][entry]: the point, −1 for none
  std::size_t entries() const;
};

constexpr std::size_t most_strip_rows = 16;
/// Rows of the last axis that are computed together, and the rows that they read.
struct Strip {
  struct RowTap {
    std::size_t outer_tap, place;  // the place of the row in `read`
  };
  std::size_t first, last;
  std::vector<std::size_t> read;
  std::vector<std::vector<RowTap>> taps;  // by row
};

/// A convolution, or its adjoint by x, as sums over taps: everything but the weights.
struct Gather {
  std::vector<AxisTaps> outer;  // of all axes but the last
  RowRule row;
  std::vector<Strip> strips;
  std::size_t read_rows = 1, rows = 1;  // rows of the last axis
  std::size_t most_read = 0, most_rows = 0;
  std::size_t segment = 0;         // entries of a row at a time
  std::size_t pitch = 0;           // numbers between two channels of such a piece
  std::vector<int> device_points;  // [axis][point][tap][copy] for three axes, −1: none
  std::size_t device_copies[3] = {1, 1, 1};
};

/// Part of the tasks of W̄ and b̄ with sums of its own.
constexpr std::size_t convolution_parts = 16;

template <class T, class E>
struct ConvolutionPlan {
  E executor;
  ConvolutionOptions options;
  std::vector<std::size_t> grid, output_grid;
  std::size_t inputs, outputs, points = 1, output_points = 1, taps = 1;
  Gather forward, adjoint;
  /// Of W̄, by phase of y: where a channel and a tap of the last axis are read, and where their sum goes, the
  /// outer axes' tap aside.
  std::vector<std::vector<std::size_t>> offsets, targets;
  BufferOn<E, T> workspace;
  BufferOn<E, int> tables;  // device_points of both

  ConvolutionPlan(const E& e, const std::vector<std::size_t>& g, const ConvolutionOptions& o, std::size_t c,
                  std::size_t out, const std::vector<std::size_t>& wanted);
};

/// Numbers of workspace that the executor's kernels need.
template <class T>
std::size_t convolution_workspace(const Cpu&, const ConvolutionPlan<T, Cpu>& plan);
template <class T>
std::size_t convolution_workspace(const Cuda&, const ConvolutionPlan<T, Cuda>& plan);

template <class T>
void convolve(const Cpu&, ConvolutionPlan<T, Cpu>& plan, FieldActivation activation, View<const T, 3> x,
              View<const T, 1> weight, View<const T, 1> bias, View<const T, 3> added, View<T, 3> y,
              View<T, 3> slope);
template <class T>
void convolve(const Cuda&, ConvolutionPlan<T, Cuda>& plan, FieldActivation activation, View<const T, 3> x,
              View<const T, 1> weight, View<const T, 1> bias, View<const T, 3> added, View<T, 3> y,
              View<T, 3> slope);
template <class T>
void convolve_adjoint(const Cpu&, ConvolutionPlan<T, Cpu>& plan, View<const T, 3> x, View<const T, 1> weight,
                      View<const T, 3> slope, View<T, 3> y_bar, View<T, 3> x_bar, bool add,
                      View<T, 1> weight_bar, View<T, 1> bias_bar);
template <class T>
void convolve_adjoint(const Cuda&, ConvolutionPlan<T, Cuda>& plan, View<const T, 3> x,
                      View<const T, 1> weight, View<const T, 3> slope, View<T, 3> y_bar, View<T, 3> x_bar,
                      bool add, View<T, 1> weight_bar, View<T, 1> bias_bar);

}  // namespace sobolev::detail
