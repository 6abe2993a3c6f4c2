// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a TruncatedTransform keeps: tables of cosines and sines for each axis, and memory between its axes.
#include <array>
#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/spectral/truncated_transform.hpp"

namespace sobolev::detail {

/// Where the tables of an axis are, and how they are to be read. Points mirrored at 0 and, for even n, at n/2
/// are folded into one: of n points `folded` are left, which stand for j, n − j, n/2 − j and n/2 + j (n odd:
/// j, n − j).
struct AxisShape {
  std::size_t points = 0;
  int low = 0, high = 0;  // frequencies of the coefficients
  int resolved_low = 0, resolved_high = -1;
  bool halves = false;         // n is even: frequencies are apart by parity
  std::size_t folded = 0;      // points j
  std::size_t magnitudes = 0;  // of the resolved frequencies: 0 … magnitudes − 1 where any, gaps allowed
  std::size_t modes() const { return std::size_t(high - low + 1); }
  std::size_t even() const {
    return halves ? (magnitudes + 1) / 2 : magnitudes;
  }  // |k| even; without halves all
  std::size_t odd() const { return halves ? magnitudes / 2 : 0; }
};
/// The magnitude at place i of its list: even ones first.
inline std::size_t magnitude_at(const AxisShape& axis, std::size_t i) {
  return !axis.halves ? i : i < axis.even() ? 2 * i : 2 * (i - axis.even()) + 1;
}

AxisShape axis_shape(std::size_t points, const ModeRange& modes, bool last);

/// cos and sin of 2πjk/n times weight(k): [magnitudes][points j].
struct AxisWaves {
  std::vector<double> cosine, sine;
};
/// For the folded points; `shared`: halved where folding counts a point twice.
AxisWaves folded_waves(const AxisShape& axis, const std::vector<double>& weight, bool shared);
/// For all points.
AxisWaves full_waves(const AxisShape& axis, const std::vector<double>& weight);

/// The weights s(k) of a real field's last axis, by magnitude, times a factor.
std::vector<double> real_weights(const AxisShape& axis, bool doubled, double factor);

/// The four transforms share the tables of all axes but the last.
enum class Transform { analyse, synthesise_adjoint, synthesise, analyse_adjoint };
constexpr bool to_modes(Transform t) { return t == Transform::analyse || t == Transform::synthesise_adjoint; }

/// Points and coefficients of one axis of one sample: [outer, n, inner, 2, C] <-> [outer, m, inner, 2, C]
/// for the others than the last axis, whose fields [outer, n, C] are real.
struct AxisStage {
  std::size_t axis, outer, inner;
  bool real;
};

template <class T, class E>
struct TransformPlan {
  E executor;
  std::vector<std::size_t> grid;
  std::vector<ModeRange> modes;
  std::vector<AxisShape> axes;
  std::vector<AxisStage> stages;  // in the order of a transform to coefficients: the last axis first
  std::size_t points = 1, mode_count = 1;
  std::size_t stage_size = 0;  // numbers for each channel between two stages, at most
  BufferOn<E, T> tables;
  std::array<std::vector<std::size_t>, 4> table_at;  // [transform][axis]: where its table begins
  BufferOn<E, T> workspace;

  TransformPlan(const E& e, const std::vector<std::size_t>& g, const std::vector<ModeRange>& m);
};

/// The table of an axis as the executor's kernels read it, frequencies weighed by their magnitudes.
template <class T>
std::vector<T> pack_axis_table(const Cpu&, const AxisShape& axis, const std::vector<double>& weight,
                               bool to_modes);
template <class T>
std::vector<T> pack_axis_table(const Cuda&, const AxisShape& axis, const std::vector<double>& weight,
                               bool to_modes);

/// Fields to coefficients, one of the two transforms that do; and back.
template <class T>
void transform_to_modes(const Cpu&, TransformPlan<T, Cpu>& plan, Transform which, View<const T, 3> x,
                        View<T, 4> v);
template <class T>
void transform_to_modes(const Cuda&, TransformPlan<T, Cuda>& plan, Transform which, View<const T, 3> x,
                        View<T, 4> v);
template <class T>
void transform_to_points(const Cpu&, TransformPlan<T, Cpu>& plan, Transform which, View<const T, 4> v,
                         View<T, 3> x, bool add);
template <class T>
void transform_to_points(const Cuda&, TransformPlan<T, Cuda>& plan, Transform which, View<const T, 4> v,
                         View<T, 3> x, bool add);

}  // namespace sobolev::detail
