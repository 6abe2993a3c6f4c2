// SPDX-License-Identifier: Apache-2.0
#pragma once
// A network with its jets on one tile of T points: forward, and backward into packed accumulators of the
// parameters' gradient or into rows of the Jacobian. Layouts and products: panel_product_detail.hpp. A tile's
// rows are channel · T + point. Every buffer of a tile lives in the caller's workspace and stays in cache.
#include <vector>

#include "kernels/common/dispatch.hpp"
#include "kernels/jet/jet_table.hpp"
#include "kernels/network/network_plan.hpp"

namespace sobolev::detail {

/// A tile's points are a multiple of this: every register block of rows divides it.
inline constexpr int tile_granule_points = 24;

/// A slot on a tile: [panels][rows][width] from column · rows on, zero beyond the features of slot 0.
struct SlotLayout : NetworkSlot {
  int panels;
  std::size_t y;  // columns before its values
  std::size_t z;  // before those of Wx + b, of dense layers; y itself where slope_from_output
  std::size_t padded;
};

/// Places in the packed parameters and in a gradient's accumulator.
struct StepLayout : NetworkStep {
  // dense: weight [panel out][fan_in][width], bias [padded out] and, unless it reads the inputs, the
  // transpose [panel in][fan_out][width]; output: weight [outputs][padded in], bias [outputs]; blend: α;
  // gaussian: μ and, as bias, 1/σ [panel out][fan_in][width], 0 beyond the features, a [panel out][shears]
  // [width].
  std::size_t packed, packed_bias, packed_transpose;
  std::size_t packed_factor;  // eˢ : [padded out], [outputs]
  std::size_t packed_shear;
  // dense: [panel out][panel in][width][width], bias [padded out]; the others as packed.
  std::size_t gradient, gradient_bias, gradient_shear;
};

/// A network for this instruction set, as the kernels read it.
struct NetworkView {
  int vectors;  // SIMD vectors per panel: 1, 2 or 3
  int width;    // columns per panel
  int step_count, slot_count, outputs;
  const StepLayout* steps;
  const SlotLayout* slots;
  std::size_t input_columns;      // of slot 0
  std::size_t columns;            // of slots and adjoints, those of slot 0 left out
  const std::size_t* adjoint_at;  // columns before each buffer of adjoints
  std::size_t scratch_columns;    // one panel where adjoints are added to
  std::size_t packed_size, gradient_size;
};

/// Owns the arrays of a NetworkView<T>.
template <class T>
class NetworkLayout {
 public:
  explicit NetworkLayout(const Network&);
  /// Valid as long as this is.
  NetworkView view() const;
  std::size_t packed_size() const { return packed_size_; }
  std::size_t gradient_size() const { return gradient_size_; }

 private:
  int vectors_, width_, outputs_;
  std::vector<StepLayout> steps_;
  std::vector<SlotLayout> slots_;
  std::vector<std::size_t> adjoint_at_;
  std::size_t columns_ = 0, scratch_columns_ = 0, packed_size_ = 0, gradient_size_ = 0;
};

/// The buffers of a tile; all 64-byte aligned.
template <class T>
struct NetworkTile {
  int points;     // T, a multiple of tile_granule_points
  int rows;       // K·T
  T* input;       // slot 0
  T* slots;       // the others, and the adjoints
  T* scratch;     // a panel
  T* output;      // [outputs][rows]
  T* output_bar;  // [outputs][rows]
};

}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    /// Elements of a SIMD vector.
    template <class T> int network_lanes();
    /// Elements of one tile's buffers.
    template <class T> std::size_t network_tile_size(const detail::NetworkView&, int channels, int points);
    /// Lays the buffers of a tile into memory of network_tile_size elements.
    template <class T> detail::NetworkTile<T> network_tile(const detail::NetworkView&, int channels,
                                                           int points, T* memory);
    /// Points per tile: as many as keep the buffers in the second-level cache.
    template <class T> int network_tile_points(const detail::NetworkView&, int channels);

    template <class T> void network_pack(const detail::NetworkView&, const T* parameters, T* packed);
    /// sum[begin … end) = Σ_a accumulators[a · size + i], added in order of a.
    template <class T> void network_sum_accumulators(const T* accumulators, int count, std::size_t size,
                                                     std::size_t begin, std::size_t end, T* sum);
    /// The flat gradient from an accumulator.
    template <class T> void network_unpack_gradient(const detail::NetworkView&, const T* packed,
                                                    const T* accumulator, T* gradient);

    /// tile.output from tile.input.
    template <class T> void network_tile_forward(const detail::NetworkView&, const detail::JetTableView<T>&,
                                                 const T* packed, const detail::NetworkTile<T>& tile);
    /// accumulator += gradient of Σ output_bar · output, after network_tile_forward on the same tile.
    template <class T>
    void network_tile_backward(const detail::NetworkView&, const detail::JetTableView<T>&, const T* packed,
                               const detail::NetworkTile<T>& tile, T* accumulator);
    /// The gradient point by point: row p of rows[p · stride] holds ∂(Σ_kq output_bar·output at
    /// p)/∂parameters for points 0 … count−1. row_scale : [points] or null.
    template <class T>
    void network_tile_jacobian(const detail::NetworkView&, const detail::JetTableView<T>&, const T* packed,
                               const detail::NetworkTile<T>& tile, int count, int copies, const T* row_scale,
                               T* rows, std::size_t stride);)
