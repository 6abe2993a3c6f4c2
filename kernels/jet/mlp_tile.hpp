// SPDX-License-Identifier: Apache-2.0
#pragma once
// A multilayer perceptron with its jets on one tile of T points: forward, and backward into packed
// accumulators of the parameters' gradient. Layouts and products: panel_product_detail.hpp. A tile's rows
// are channel · T + point. Every buffer of a tile lives in the caller's workspace and stays in cache.
#include "kernels/common/dispatch.hpp"
#include "kernels/jet/jet_table.hpp"
#include "sobolev/jet/mlp.hpp"

namespace sobolev::detail {

/// A tile's points are a multiple of this: every register block of rows divides it.
inline constexpr int tile_granule_points = 24;

/// Panel geometry of a network for this instruction set.
template <class T>
struct MlpGeometry {
  int inputs, outputs, depth, hidden;  // hidden: neurons of a hidden layer
  Activation activation;
  int vectors;  // SIMD vectors per panel: 1, 2 or 3
  int width;    // columns per panel
  int hidden_panels, input_panels;

  inline __attribute__((always_inline)) int fan_in(int layer) const { return layer == 0 ? inputs : hidden; }
  inline __attribute__((always_inline)) int panels_in(int layer) const {
    return layer == 0 ? input_panels : hidden_panels;
  }
  inline __attribute__((always_inline)) std::size_t padded() const {
    return std::size_t(hidden_panels) * std::size_t(width);
  }
  // Packed weights, by layer: forward [panel][fan_in][width], bias [padded], and for layers > 0 the
  // transpose [panel][hidden][width]; then the output layer's weight [outputs][padded] and bias.
  inline __attribute__((always_inline)) std::size_t forward_size(int layer) const {
    return padded() * std::size_t(fan_in(layer));
  }
  inline __attribute__((always_inline)) std::size_t layer_size(int layer) const {
    return forward_size(layer) + padded() + (layer > 0 ? padded() * std::size_t(hidden) : 0);
  }
  inline __attribute__((always_inline)) std::size_t layer_offset(int layer) const {
    return layer == 0 ? 0 : layer_size(0) + std::size_t(layer - 1) * layer_size(1);
  }
  inline __attribute__((always_inline)) std::size_t bias_offset(int layer) const {
    return layer_offset(layer) + forward_size(layer);
  }
  inline __attribute__((always_inline)) std::size_t transpose_offset(int layer) const {
    return bias_offset(layer) + padded();
  }
  inline __attribute__((always_inline)) std::size_t packed_size() const {
    return layer_offset(depth) + std::size_t(outputs) * (padded() + 1);
  }
  // Gradient accumulators, by layer: [panel out][panel in][width][width], bias [padded]; then the
  // output layer's [outputs][padded] and bias [outputs].
  inline __attribute__((always_inline)) std::size_t gradient_layer_size(int layer) const {
    return padded() * std::size_t(panels_in(layer)) * std::size_t(width) + padded();
  }
  inline __attribute__((always_inline)) std::size_t gradient_offset(int layer) const {
    return layer == 0 ? 0 : gradient_layer_size(0) + std::size_t(layer - 1) * gradient_layer_size(1);
  }
  inline __attribute__((always_inline)) std::size_t gradient_size() const {
    const std::size_t n = gradient_offset(depth) + std::size_t(outputs) * (padded() + 1);
    return (n + 63) / 64 * 64;
  }
};

/// The buffers of a tile; all 64-byte aligned.
template <class T>
struct MlpTile {
  int points;     // T, a multiple of tile_granule
  int rows;       // K·T
  T* input;       // [input_panels][rows][width], zero beyond the inputs
  T* z;           // [depth][hidden_panels][rows][width]; y itself for tanh
  T* y;           // the same shape
  T* bar[2];      // [hidden_panels][rows][width]
  T* output;      // [outputs][rows]
  T* output_bar;  // [outputs][rows]
  inline __attribute__((always_inline)) T* layer(T* base, const MlpGeometry<T>& g, int l) const {
    return base + std::size_t(l) * g.padded() * std::size_t(rows);
  }
};

}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    template <class T> detail::MlpGeometry<T> mlp_geometry(const MlpShape& shape);
    /// Elements of one tile's buffers.
    template <class T> std::size_t mlp_tile_size(const detail::MlpGeometry<T>&, int channels, int points);
    /// Lays the buffers of a tile into memory of mlp_tile_size elements.
    template <class T> detail::MlpTile<T> mlp_tile(const detail::MlpGeometry<T>&, int channels, int points,
                                                   T* memory);
    /// Points per tile: as many as keep the buffers in the second-level cache.
    template <class T> int mlp_tile_points(const detail::MlpGeometry<T>&, int channels);

    template <class T>
    void mlp_pack(const detail::MlpGeometry<T>&, const MlpShape& shape, const T* parameters, T* packed);
    /// sum[begin … end) = Σ_a accumulators[a · size + i], added in order of a.
    template <class T> void mlp_sum_accumulators(const T* accumulators, int count, std::size_t size,
                                                 std::size_t begin, std::size_t end, T* sum);
    /// The flat gradient from an accumulator.
    template <class T> void mlp_unpack_gradient(const detail::MlpGeometry<T>&, const MlpShape& shape,
                                                const T* accumulator, T* gradient);

    /// tile.output from tile.input.
    template <class T> void mlp_tile_forward(const detail::MlpGeometry<T>&, const detail::JetTableView<T>&,
                                             const T* packed, const detail::MlpTile<T>& tile);
    /// accumulator += gradient of Σ output_bar · output, after mlp_tile_forward on the same tile.
    template <class T>
    void mlp_tile_backward(const detail::MlpGeometry<T>&, const detail::JetTableView<T>&, const T* packed,
                           const detail::MlpTile<T>& tile, T* accumulator);
    /// The gradient point by point: row p of rows[p · stride] holds ∂(Σ_kq output_bar·output at
    /// p)/∂parameters in the order of MlpShape, for points 0 … count−1. row_scale : [points] or null.
    template <class T>
    void mlp_tile_jacobian(const detail::MlpGeometry<T>&, const detail::JetTableView<T>&,
                           const MlpShape& shape, const T* packed, const detail::MlpTile<T>& tile, int count,
                           int copies, const T* row_scale, T* rows, std::size_t stride);)
