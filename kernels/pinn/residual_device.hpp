// SPDX-License-Identifier: Apache-2.0
#pragma once
// The fused step on a device: what its kernels read and the calls that start them (residual_objective.cu). A
// group's points are cut into tiles of one block each; the tiles of a slice follow each other, those of no
// weight are left out.
#include <cstdint>

#include "kernels/jet/jet_device_table.hpp"
#include "kernels/network/features_table.hpp"
#include "kernels/network/network_plan.hpp"
#include "kernels/pinn/residual_view.hpp"
#include "sobolev/core/cuda.hpp"

namespace sobolev::detail {

inline constexpr int most_mirrored_copies = 8;

/// Points first … first + count − 1 of a group.
struct PointTile {
  std::uint32_t first, count, slice;
};

/// A residual group in device memory.
template <class T>
struct DeviceGroupView : ResidualView<T> {
  T parity[most_mirrored_copies];
  const PointTile* tiles;
  const double* slice_weight;  // [slices], or null: all 1
};

/// The features of a group's mirrored copies.
template <class T>
struct DeviceFeatures {
  FeatureView<T> of_copy[most_mirrored_copies];
};

/// A network and a group's jet, ready to launch.
template <class T>
struct DeviceNetwork {
  const NetworkPlan* plan;
  DeviceJetView<T> jet;
  const T* parameters;
  Products products = Products::ieee;
};

/// Which tiles, and the features of each: [tile][inputs][K · points of a tile].
template <class T>
struct TileBatch {
  std::uint32_t first, count;
  const T* features;
};

/// What a pass makes of a tile; a null array is not wanted.
template <class T>
struct ResidualResults {
  double* tile_loss;  // [tiles]: Σ_e w_e Σ_n v_n r²
  double* tile_unit;  // [tiles]: the same with w_e = 1
  T* residuals;       // [E, N]
  const T* seeds;     // [E, N]: the adjoints of the residuals instead of those of the loss
  T* shares;          // [blocks, P]: of the gradient, added to
};

/// Memory that the blocks of all calls use.
template <class T>
struct ResidualMemory {
  T* data;
  std::size_t elements;
};

/// Points of a tile without their mirrored copies, the elements of a tile's features, and of the memory that
/// all blocks need.
template <class T>
int device_tile_points(const DeviceNetwork<T>&, const DeviceGroupView<T>&);
template <class T>
std::size_t device_tile_features(const DeviceNetwork<T>&, const DeviceGroupView<T>&);
template <class T>
std::size_t device_residual_memory(const Cuda&, const DeviceNetwork<T>&, const DeviceGroupView<T>&);
/// Most blocks that a pass runs: shares of the gradient.
int device_residual_blocks(const Cuda&);

/// Features of a batch's tiles. scratch: device_features_memory elements.
template <class T>
void device_features(const Cuda&, const DeviceNetwork<T>&, const DeviceGroupView<T>&,
                     const DeviceFeatures<T>&, std::size_t first, std::size_t count, T* features, T* scratch);
template <class T>
std::size_t device_features_memory(const Cuda&, const DeviceFeatures<T>&, int copies);

/// Network, residuals, loss and, where shares is not null, the way back.
template <class T>
void device_residual(const Cuda&, const DeviceNetwork<T>&, const DeviceGroupView<T>&, const TileBatch<T>&,
                     const ResidualResults<T>&, const ResidualMemory<T>&);

/// Jacobian rows of a batch, scaled by √(w_e v_n · slice weight): row (first of the tile − first of the
/// batch) · E + e · count + n; the scaled residual in column P. rows : [·][stride]
template <class T>
void device_jacobian(const Cuda&, const DeviceNetwork<T>&, const DeviceGroupView<T>&, const TileBatch<T>&,
                     T* rows, std::size_t stride, const ResidualMemory<T>&);

/// slice_weight[s] = exp(−ε Σ_{k<s} L_k) with L_k the mean of tile_unit over slice k, and zero from the first
/// one below `negligible` on. slice_tiles, slice_points : [slices + 1], the first tile and point of each.
void device_causal_weights(const Cuda&, int slices, const std::uint32_t* slice_tiles,
                           const std::uint32_t* slice_points, const double* tile_unit, double epsilon,
                           double negligible, double* slice_weight);

/// loss[0] = (add ? loss[0] : 0) + Σ tile_loss · weight of the tile's slice, in a fixed order.
void device_loss(const Cuda&, std::size_t tiles, const PointTile*, const double* tile_loss,
                 const double* slice_weight, bool add, double* loss);

/// gradient = Σ_b shares[b], in the order of b.
template <class T>
void device_sum_shares(const Cuda&, const T* shares, int blocks, View<T, 1> gradient);

/// r[e, n] *= w_e v_n · slice weight.
template <class T>
void device_weigh(const Cuda&, const DeviceGroupView<T>&, int slices, const std::uint32_t* slice_points,
                  View<T, 2> r);

/// From products : [stride, stride], the Gauss–Newton matrix with the residual as column P: the upper
/// triangle of its first P columns, column P and its last element.
template <class T>
void device_unpack_normal_equations(const Cuda&, const T* products, std::size_t stride, View<T, 2> matrix,
                                    View<T, 1> gradient, double* loss);

/// norms[row] = Σ_j rows[row][j]², j < parameters.
template <class T>
void device_row_norms(const Cuda&, const T* rows, std::size_t count, std::size_t stride,
                      std::size_t parameters, double* norms);

}  // namespace sobolev::detail
