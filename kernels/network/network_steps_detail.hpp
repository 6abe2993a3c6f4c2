// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the forward pass, the gradient and the Jacobian rows of a network on a tile share.
#include <type_traits>

#include "kernels/common/simd.hpp"
#include "kernels/jet/activation_range.hpp"
#include "kernels/linalg/panel_product_detail.hpp"
#include "kernels/network/network_gate_range.hpp"
#include "kernels/network/network_gaussian_range.hpp"
#include "kernels/network/network_tile.hpp"

namespace sobolev::SOBOLEV_TARGET {
using detail::NetworkTile;
using detail::NetworkView;
using detail::SlotLayout;
using detail::StepLayout;

/// f(std::integral_constant<int, vectors>).
template <class F>
SOBOLEV_INLINE void with_vectors(int vectors, F&& f) {
  switch (vectors) {
    case 1: return f(std::integral_constant<int, 1>{});
    case 2: return f(std::integral_constant<int, 2>{});
    default: return f(std::integral_constant<int, 3>{});
  }
}

/// The buffers of slots on a tile, panel by panel.
template <class T>
struct TileSlots {
  const NetworkView& net;
  const NetworkTile<T>& tile;

  SOBOLEV_INLINE std::size_t rows() const { return std::size_t(tile.rows); }
  SOBOLEV_INLINE std::size_t width() const { return std::size_t(net.width); }
  /// Elements of a panel, and of a channel of one.
  SOBOLEV_INLINE std::size_t panel() const { return rows() * width(); }
  SOBOLEV_INLINE std::size_t channel() const { return std::size_t(tile.points) * width(); }
  SOBOLEV_INLINE const SlotLayout& slot(int s) const { return net.slots[s]; }
  SOBOLEV_INLINE T* y(int s) const { return s == 0 ? tile.input : tile.slots + slot(s).y * rows(); }
  SOBOLEV_INLINE T* z(int s) const { return tile.slots + slot(s).z * rows(); }
  /// The adjoint of a slot: of Wx + b for that of a dense layer, once it is complete.
  SOBOLEV_INLINE T* bar(int s) const { return tile.slots + net.adjoint_at[slot(s).adjoint] * rows(); }
};

/// The first panel of Gaussians, and panel q.
template <class T>
detail::GaussianPanel<T> gaussian_panels(const TileSlots<T>& at, const detail::JetTableView<T>& jet,
                                         const StepLayout& step, const T* packed) {
  const bool full = step.shears > 0;
  return {at.y(0),
          at.panel(),
          at.net.width,
          step.fan_in,
          at.tile.points,
          packed + step.packed,
          packed + step.packed_bias,
          full ? detail::GaussianAxes{}
               : gaussian_axes<T>(jet, at.y(0), at.panel(), at.net.width, step.fan_in, at.tile.points),
          full ? packed + step.packed_shear : nullptr};
}
template <class T>
SOBOLEV_INLINE detail::GaussianPanel<T> panel_of(detail::GaussianPanel<T> first, int q) {
  const std::size_t begin = std::size_t(q * first.inputs * first.width);
  first.centre += begin;
  first.sharpness += begin;
  if (first.shear) first.shear += begin * std::size_t(first.inputs - 1) / 2;
  return first;
}
template <class T>
void gaussian_forward(const TileSlots<T>& at, const detail::JetTableView<T>& jet, const StepLayout& step,
                      const detail::GaussianPanel<T>& first) {
  for (int q = 0; q < at.slot(step.out).panels; ++q)
    gaussian_forward_range<T>(jet, panel_of<T>(first, q), at.y(step.out) + std::size_t(q) * at.panel());
}

/// The Gaussians of a slot where one output sums them as they are made and their derivatives are not stored;
/// else an empty panel, whose inputs are no coordinates.
template <class T>
detail::GaussianPanel<T> summed_gaussians(const TileSlots<T>& at, const detail::JetTableView<T>& jet,
                                          const T* packed, int slot) {
  if (at.slot(slot).summed)
    for (int i = 0; i < at.net.step_count; ++i)
      if (at.net.steps[i].kind == Instruction::Kind::gaussian && at.net.steps[i].out == slot)
        return gaussian_panels<T>(at, jet, at.net.steps[i], packed);
  return {};
}

/// The adjoint of input i of a step has got its share in panel q: where it is the last one, through the
/// activation of the layer that it comes from.
template <class T>
SOBOLEV_INLINE void finish_adjoint(const TileSlots<T>& at, const detail::JetTableView<T>& jet,
                                   const StepLayout& step, int i, int q) {
  const SlotLayout& slot = at.slot(step.in[i]);
  if ((step.completes >> i & 1) == 0 || !slot.activated) return;
  const std::size_t begin = std::size_t(q) * at.panel();
  T* bar = at.bar(step.in[i]) + begin;
  activation_backward_range<T>(slot.activation, jet, at.z(step.in[i]) + begin, at.y(step.in[i]) + begin, bar,
                               bar, at.channel(), at.channel());
}

/// bar[r][i] = Σ_q out_bar[q][r] w[q][i] on one panel, or added to it.
template <class T>
void output_adjoint(const TileSlots<T>& at, const StepLayout& step, const T* w, bool add, T* bar) {
  const std::size_t padded = at.slot(step.in[0]).padded;
  const T* seeds = at.tile.output_bar + std::size_t(step.out) * at.rows();
  for (int r = 0; r < at.tile.rows; ++r) {
    T* row = bar + std::size_t(r) * at.width();
    for (int i = 0; i < at.net.width; i += lanes<T>) {
      Vec<T> sum{};
      if (add) sum = load<T>(row + i);
      for (int q = 0; q < step.fan_out; ++q)
        sum += seeds[q * at.tile.rows + r] * load<T>(w + std::size_t(q) * padded + std::size_t(i));
      store<T>(row + i, sum);
    }
  }
}

/// The shares of a step in the adjoints of what it reads.
template <class T>
void propagate_step(const TileSlots<T>& at, const detail::JetTableView<T>& jet, const T* packed,
                    const StepLayout& step) {
  using Kind = Instruction::Kind;
  const std::size_t panel = at.panel(), width = at.width();
  const int x = step.in[0];
  const auto adds = [&](int i) { return (step.adds >> i & 1) != 0; };
  switch (step.kind) {
    case Kind::output:
      if (x == 0) return;
      for (int q = 0; q < at.slot(x).panels; ++q) {
        output_adjoint<T>(at, step, packed + step.packed + std::size_t(q) * width, adds(0),
                          at.bar(x) + std::size_t(q) * panel);
        finish_adjoint<T>(at, jet, step, 0, q);
      }
      return;
    case Kind::dense:
      if (x == 0) return;
      with_vectors(at.net.vectors, [&](auto nv) {
        const T* transposed = packed + step.packed_transpose;
        for (int q = 0; q < at.slot(x).panels; ++q) {
          T* bar = at.bar(x) + std::size_t(q) * panel;
          T* product = adds(0) ? at.tile.scratch : bar;
          panel_product<T, nv()>(at.bar(step.out), panel, at.tile.rows, step.fan_out,
                                 transposed + std::size_t(q) * std::size_t(step.fan_out) * width, nullptr, 0,
                                 product);
          if (adds(0))
            for (std::size_t i = 0; i < panel; i += lanes<T>)
              store<T>(bar + i, load<T>(bar + i) + load<T>(product + i));
          finish_adjoint<T>(at, jet, step, 0, q);
        }
      });
      return;
    case Kind::gaussian: return;  // of the inputs, which have no adjoint
    case Kind::gate:
      for (int q = 0; q < at.slot(x).panels; ++q) {
        const std::size_t begin = std::size_t(q) * panel;
        const auto bar = [&](int i) { return step.in[i] == 0 ? nullptr : at.bar(step.in[i]) + begin; };
        gate_backward_range<T>(jet, at.y(x) + begin, at.y(step.in[1]) + begin, at.y(step.in[2]) + begin,
                               at.bar(step.out) + begin, bar(0), bar(1), bar(2), step.adds, at.channel(),
                               at.channel());
        for (int i = 0; i < 3; ++i)
          if (step.in[i] > 0) finish_adjoint<T>(at, jet, step, i, q);
      }
      return;
    case Kind::blend:
      for (int q = 0; q < at.slot(x).panels; ++q)
        for (int i = 0; i < 2; ++i) {
          if (step.in[i] == 0) continue;
          const T alpha = packed[step.packed], factor = i == 0 ? alpha : T(1) - alpha;
          const T* from = at.bar(step.out) + std::size_t(q) * panel;
          T* to = at.bar(step.in[i]) + std::size_t(q) * panel;
          for (std::size_t n = 0; n < panel; n += lanes<T>) {
            const Vec<T> share = factor * load<T>(from + n);
            store<T>(to + n, adds(i) ? load<T>(to + n) + share : share);
          }
          finish_adjoint<T>(at, jet, step, i, q);
        }
      return;
  }
}

}  // namespace sobolev::SOBOLEV_TARGET
