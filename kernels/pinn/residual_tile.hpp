// SPDX-License-Identifier: Apache-2.0
#pragma once
// The fused step on one tile: features → network → residuals, and back.
#include "kernels/network/features_tile.hpp"
#include "kernels/network/network_tile.hpp"
#include "kernels/pinn/residual_view.hpp"

namespace sobolev::detail {

/// A residual group in the form that the kernels read.
template <class T>
struct GroupView : ResidualView<T> {
  JetTableView<T> jet;
  const FeatureView<T>* features;  // [copies]
  const T* parity;                 // [copies]
};

/// A thread's buffers for the tiles of one group.
template <class T>
struct ResidualTile {
  NetworkTile<T> network;
  int points;  // real points: network.points / copies
  int stride;  // of the tape's registers
  T *registers, *adjoints, *scratch;
};
}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    /// Elements of a tile's buffers, and the buffers laid into memory (64-byte aligned).
    template <class T>
    std::size_t residual_tile_size(const detail::NetworkView&, const detail::GroupView<T>&);
    template <class T> detail::ResidualTile<T> residual_tile(const detail::NetworkView&,
                                                             const detail::GroupView<T>&, T* memory);
    /// Points per tile of a group.
    template <class T> int residual_tile_points(const detail::NetworkView&, const detail::GroupView<T>&);

    /// Features of points first … first + count − 1 into the tile (its padding repeats the last point).
    template <class T> void residual_features(const detail::GroupView<T>&, const detail::NetworkView&,
                                              const detail::ResidualTile<T>&, std::size_t first, int count);
    /// Elements of the features of a tile, for keeping them.
    template <class T>
    std::size_t residual_features_size(const detail::NetworkView&, const detail::GroupView<T>&);

    /// Network and residuals: afterwards register tape.outputs[e] holds r_e. `input` is where the features
    /// are.
    template <class T>
    void residual_forward(const detail::GroupView<T>&, const detail::NetworkView&, const T* packed,
                          const detail::ResidualTile<T>&, const T* input, std::size_t first, int count);
    /// Σ_e w_e Σ_n v_n r², or with unit weights w_e = 1 (slice losses).
    template <class T> double residual_loss(const detail::GroupView<T>&, const detail::ResidualTile<T>&,
                                            std::size_t first, int count, bool unit);
    /// r : [E, r_stride], this tile's part.
    template <class T> void residual_store(const detail::GroupView<T>&, const detail::ResidualTile<T>&,
                                           std::size_t first, int count, T* r, std::size_t r_stride);
    /// accumulator += gradient of factor · Σ w_e v_n r² (seeds null), or of Σ seeds·r.
    template <class T>
    void residual_backward(const detail::GroupView<T>&, const detail::NetworkView&, const T* packed,
                           const detail::ResidualTile<T>&, const T* input, std::size_t first, int count,
                           T factor, const T* seeds, std::size_t seed_stride, T* accumulator);
    /// Jacobian rows scaled by √(factor w_e v_n): rows[(e · count + n) · stride], and the residuals scaled
    /// alike into values[e · count + n].
    template <class T>
    void residual_jacobian(const detail::GroupView<T>&, const detail::NetworkView&, const T* packed,
                           const detail::ResidualTile<T>&, const T* input, std::size_t first, int count,
                           T factor, T* rows, std::size_t stride, T* values);)
