// SPDX-License-Identifier: Apache-2.0
// The fused step: features, network, residuals, loss, and back, tile by tile.
// Persistent blocks of 256 threads take tiles (kernels/network/network_block.hpp); the tape runs by one
// thread per point, its registers in shared memory where they fit. A tile's loss goes to its own place and
// the blocks' shares of the gradient to theirs: sums have a fixed order. FLOPs 6·N·K·Σ in·out (2 without the
// way back). Bytes from memory: features N·K·inputs (L2 after the first pass), gradient shares 2·P per tile,
// which stay in the L2 cache: bound by the FMA units. docs/performance.md has the floors.
#include "kernels/common/block_reduce.hpp"
#include "kernels/common/cuda.hpp"
#include "kernels/expression/tape_math.hpp"
#include "kernels/network/features_math.hpp"
#include "kernels/network/network_device.hpp"
#include "kernels/pinn/residual_block.hpp"
#include "kernels/pinn/residual_device.hpp"

namespace sobolev::detail {
namespace {
using namespace target_cuda;

constexpr unsigned feature_threads = 128;
constexpr std::size_t most_tape_shared = 48u << 10;  // bytes: more would leave one block per multiprocessor

/// Where a step's tape has its registers.
struct TapePlace {
  bool shared;
  std::size_t elements;  // registers, then adjoints
};
template <class S>
TapePlace tape_place(const DeviceGroupView<typename S::T>& g) {
  const std::size_t n = 2 * std::size_t(g.tape.registers()) * std::size_t(S::tile_points / g.copies);
  return {n * sizeof(typename S::T) <= most_tape_shared, n};
}

template <class S>
__global__ void __launch_bounds__(256, S::blocks)
    residual_kernel(SOBOLEV_CONSTANT NetworkBlock<typename S::T> m,
                    SOBOLEV_CONSTANT DeviceJet<typename S::Jet, typename S::T> jet,
                    SOBOLEV_CONSTANT DeviceGroupView<typename S::T> g,
                    SOBOLEV_CONSTANT TileBatch<typename S::T> batch,
                    SOBOLEV_CONSTANT ResidualResults<typename S::T> results, const bool tape_in_shared) {
  using T = typename S::T;
  const int channels = jet.algebra.channels();
  for (unsigned i = blockIdx.x; i < batch.count; i += gridDim.x) {
    const unsigned number = batch.first + i;
    const PointTile tile = g.tiles[number];
    const T factor = g.slice_weight == nullptr ? T(1) : T(g.slice_weight[tile.slice]);
    if (factor == T(0)) {
      if (results.tile_loss != nullptr && threadIdx.x + threadIdx.y == 0) results.tile_loss[number] = 0;
      continue;
    }
    const auto input = [&] {  // made when it is needed: it would take registers
      return batch.features + std::size_t(i) * std::size_t(m.inputs * channels * m.points);
    };
    block_forward<S>(m, jet.algebra, jet.coefficients(), input);
    {
      T* registers = tape_in_shared ? dynamic_shared<T>() : m.rest();
      T* adjoints = registers + std::size_t(g.tape.registers()) * std::size_t(m.points / g.copies);
      tile_residuals<S>(g, m, channels, tile, registers);
      if (results.residuals != nullptr) store_residuals<S>(g, tile, m.points, registers, results.residuals);
      if (results.tile_loss != nullptr)
        tile_loss<S>(g, tile, m.points, registers, results.tile_loss + number,
                     results.tile_unit == nullptr ? nullptr : results.tile_unit + number);
      if (m.gradients == nullptr) continue;
      seed_residuals<S>(g, tile, m.points, factor, results.seeds, registers, adjoints);
      tile_output_bar<S>(g, m, channels, registers, adjoints);
    }
    block_backward<S>(m, jet.algebra, jet.coefficients(), input);
  }
}

/// Of values alone (conditions) it needs a few registers more than two blocks leave.
template <class S>
__global__ void __launch_bounds__(256, S::Jet::max_channels == 1 ? 1 : 2)
    jacobian_kernel(SOBOLEV_CONSTANT NetworkBlock<typename S::T> m,
                    SOBOLEV_CONSTANT DeviceJet<typename S::Jet, typename S::T> jet,
                    SOBOLEV_CONSTANT DeviceGroupView<typename S::T> g,
                    SOBOLEV_CONSTANT TileBatch<typename S::T> batch, typename S::T* const rows,
                    const std::size_t stride) {
  using T = typename S::T;
  SOBOLEV_SHARED(T, scale, 128);
  const int channels = jet.algebra.channels();
  const int me = thread_of_block();
  for (unsigned i = blockIdx.x; i < batch.count; i += gridDim.x) {
    const PointTile tile = g.tiles[batch.first + i];
    const auto input = [&] {  // made when it is needed: it would take registers
      return batch.features + std::size_t(i) * std::size_t(m.inputs * channels * m.points);
    };
    block_forward<S>(m, jet.algebra, jet.coefficients(), input);
    tile_residuals<S>(g, m, channels, tile, m.rest());
    for (int e = 0; e < g.residuals; ++e) {
      const int count = int(tile.count);
      T* row = rows + ((tile.first - g.tiles[batch.first].first) * std::size_t(g.residuals) +
                       std::size_t(e * count)) *
                          stride;
      {
        const int real = m.points / g.copies;
        T* registers = m.rest();
        T* adjoints = registers + std::size_t(g.tape.registers()) * std::size_t(real);
        if (me < count) {
          const T factor = g.slice_weight == nullptr ? T(1) : T(g.slice_weight[tile.slice]);
          const T weight =
              g.weight[e] * (g.point_weight == nullptr ? T(1) : g.point_weight[tile.first + unsigned(me)]);
          const T root = vsqrt<T>(factor * weight);
          scale[me] = root;
          row[std::size_t(me) * stride + m.parameter_count] =
              root * registers[std::size_t(g.tape.outputs[e]) * std::size_t(real) + std::size_t(me)];
        }
        unit_seed<S>(g, m.points, e, count, adjoints);
        tile_output_bar<S>(g, m, channels, registers, adjoints);
      }
      const auto scale_of = [&](int n) { return scale[n]; };
      block_adjoints<S>(m, jet.algebra, jet.coefficients(), input, [&](int step) {
        step_rows<S>(g, m, jet.algebra, jet.coefficients(), step, input, count, scale_of, row, stride);
      });
      __syncthreads();
    }
  }
}

/// Features of a tile by one block. registers : [registers of the tape, threads of the grid]
template <class T>
__global__ void residual_features_kernel(SOBOLEV_CONSTANT DeviceGroupView<T> g,
                                         SOBOLEV_CONSTANT DeviceFeatures<T> by_copy, int points, int channels,
                                         int inputs, std::size_t first, std::size_t count, T* features,
                                         T* registers) {
  const int real = points / g.copies, R = channels * points;
  const std::size_t threads = std::size_t(gridDim.x) * blockDim.x;
  registers += std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  for (std::size_t i = blockIdx.x; i < count; i += gridDim.x) {
    const PointTile tile = g.tiles[first + i];
    T* to = features + i * std::size_t(inputs) * std::size_t(R);
    for (int n = int(threadIdx.x); n < inputs * R; n += int(blockDim.x)) to[n] = T(0);
    __syncthreads();
    for (int column = int(threadIdx.x); column < points; column += int(blockDim.x)) {
      const FeatureView<T>& view = by_copy.of_copy[column / real];
      const std::size_t p = unsigned(column % real), n = tile.first + (p < tile.count ? p : tile.count - 1);
      plain_features<T>(view, g.x + n, g.points, 1, [=](int feature, int channel, int) -> T& {
        return to[feature * R + channel * points + column];
      });
      if (view.expression_count == 0) continue;
      for (int d = 0; d < view.coordinates; ++d)
        registers[std::size_t(d) * threads] = g.x[std::size_t(d) * g.points + n];
      tape_forward_tile<T>(view.tape, registers, int(threads), 1);
      for (int f = 0; f < view.expression_count; ++f)
        for (int k = 0; k < channels; ++k)
          to[view.expression_features[f] * R + k * points + column] =
              registers[std::size_t(view.tape.outputs[f * channels + k]) * threads];
    }
  }
}

/// One block; a thread sums the slices threadIdx.x, threadIdx.x + blockDim.x, …
__global__ void causal_weights_kernel(int slices, const std::uint32_t* slice_tiles,
                                      const std::uint32_t* slice_points, const double* tile_unit,
                                      double epsilon, double negligible, double* slice_weight) {
  for (int s = int(threadIdx.x); s < slices; s += int(blockDim.x)) {
    double sum = 0;
    for (std::uint32_t t = slice_tiles[s]; t < slice_tiles[s + 1]; ++t) sum += tile_unit[t];
    const std::uint32_t points = slice_points[s + 1] - slice_points[s];
    slice_weight[s] = sum / double(points > 0 ? points : 1);
  }
  __syncthreads();
  if (threadIdx.x > 0) return;
  double exponent = 0;
  bool vanished = false;
  for (int s = 0; s < slices; ++s) {
    const double mean = slice_weight[s], weight = vexp<double>(-epsilon * exponent);
    vanished = vanished || weight < negligible;
    slice_weight[s] = vanished ? 0.0 : weight;
    exponent += mean;
  }
}

/// One block of 256 threads.
__global__ void loss_kernel(std::size_t tiles, const PointTile* tile, const double* tile_loss,
                            const double* slice_weight, bool add, double* loss) {
  SOBOLEV_SHARED(double, sums, 256);
  double sum = 0;
  for (std::size_t t = threadIdx.x; t < tiles; t += blockDim.x) {
    const double weight = slice_weight == nullptr ? 1.0 : slice_weight[tile[t].slice];
    // The losses of a slice without weight may be anything, infinite for one.
    if (weight != 0) sum += weight * tile_loss[t];
  }
  sums[threadIdx.x] = sum;
  block_sum(sums);
  if (threadIdx.x == 0) loss[0] = (add ? loss[0] : 0.0) + sums[0];
}

template <class T>
__global__ void weigh_kernel(SOBOLEV_CONSTANT DeviceGroupView<T> g, int slices,
                             const std::uint32_t* slice_points, View<T, 2> r) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t n = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; n < g.points; n += stride) {
    T factor = g.point_weight == nullptr ? T(1) : g.point_weight[n];
    if (g.slice_weight != nullptr) {
      int low = 0, high = slices;  // the slice with slice_points[low] ≤ n < slice_points[low + 1]
      while (high - low > 1) {
        const int middle = (low + high) / 2;
        (slice_points[middle] <= n ? low : high) = middle;
      }
      factor *= T(g.slice_weight[low]);
    }
    for (int e = 0; e < g.residuals; ++e) r(e, n) *= g.weight[e] * factor;
  }
}

/// A block per row of the matrix.
template <class T>
__global__ void unpack_kernel(const T* products, std::size_t stride, View<T, 2> matrix, View<T, 1> gradient,
                              double* loss) {
  const std::size_t p = gradient.size(), i = blockIdx.x;
  const T* row = products + i * stride;
  for (std::size_t j = i + threadIdx.x; j < p; j += blockDim.x) matrix(i, j) = row[j];
  if (threadIdx.x > 0) return;
  gradient(i) = row[p];
  if (i == 0) *loss = double(products[p * stride + p]);
}

/// A block of 128 threads per row.
template <class T>
__global__ void row_norms_kernel(const T* rows, std::size_t stride, std::size_t parameters, double* norms) {
  SOBOLEV_SHARED(double, sums, 128);
  const T* row = rows + blockIdx.x * stride;
  double sum = 0;
  for (std::size_t j = threadIdx.x; j < parameters; j += blockDim.x) sum += double(row[j]) * double(row[j]);
  sums[threadIdx.x] = sum;
  block_sum(sums);
  if (threadIdx.x == 0) norms[blockIdx.x] = sums[0];
}

/// f(FmaShape or MmaShape, DeviceJet, NetworkBlock) of a network on a group.
template <class T, class F>
void with_network(const DeviceNetwork<T>& network, const DeviceGroupView<T>& g, F&& f) {
  with_block_shape<T>(network.jet, network.plan->width, network.products, [&](auto s, const auto& jet) {
    using S = decltype(s);
    NetworkBlock<T> m = describe_block<T>(*network.plan, network.jet.host.channels, S::tile_points,
                                          network.products, tape_place<S>(g).elements);
    m.parameters = network.parameters;
    f(s, jet, m);
  });
}

/// Gives the network its memory. Returns as many blocks as there are tiles for, and memory.
template <class T>
unsigned take_memory(const Cuda& cuda, const ResidualMemory<T>& memory, std::size_t tiles,
                     NetworkBlock<T>& m) {
  require(m.slice <= memory.elements, "residual objective: the memory of the device step is too small");
  m.memory = memory.data;
  return unsigned(std::min<std::size_t>(persistent_blocks(cuda, tiles), memory.elements / m.slice));
}
}  // namespace

template <class T>
int device_tile_points(const DeviceNetwork<T>& network, const DeviceGroupView<T>& g) {
  int points = 0;
  with_network<T>(network, g,
                  [&](auto, const auto&, const NetworkBlock<T>& m) { points = m.points / g.copies; });
  return points;
}

template <class T>
std::size_t device_tile_features(const DeviceNetwork<T>& network, const DeviceGroupView<T>& g) {
  return std::size_t(network.plan->slots[0].features) * std::size_t(network.jet.host.channels) *
         std::size_t(device_tile_points<T>(network, g) * g.copies);
}

int device_residual_blocks(const Cuda& cuda) { return 2 * cuda.multiprocessors(); }

template <class T>
std::size_t device_residual_memory(const Cuda& cuda, const DeviceNetwork<T>& network,
                                   const DeviceGroupView<T>& g) {
  std::size_t slice = 0;
  with_network<T>(network, g, [&](auto, const auto&, const NetworkBlock<T>& m) { slice = m.slice; });
  return slice * std::size_t(device_residual_blocks(cuda));
}

template <class T>
std::size_t device_features_memory(const Cuda& cuda, const DeviceFeatures<T>& features, int copies) {
  int registers = 0;
  for (int c = 0; c < copies; ++c)
    if (features.of_copy[c].expression_count > 0)
      registers = std::max(registers, features.of_copy[c].tape.registers());
  return std::size_t(registers) * feature_threads * 8 * std::size_t(cuda.multiprocessors());
}

template <class T>
void device_features(const Cuda& cuda, const DeviceNetwork<T>& network, const DeviceGroupView<T>& g,
                     const DeviceFeatures<T>& by_copy, std::size_t first, std::size_t count, T* features,
                     T* scratch) {
  const unsigned blocks = unsigned(std::min<std::size_t>(count, 8 * std::size_t(cuda.multiprocessors())));
  launch<residual_features_kernel<T>>(cuda, {blocks, feature_threads}, g, by_copy,
                                      device_tile_points<T>(network, g) * g.copies, network.jet.host.channels,
                                      network.plan->slots[0].features, first, count, features, scratch);
}

template <class T>
void device_residual(const Cuda& cuda, const DeviceNetwork<T>& network, const DeviceGroupView<T>& g,
                     const TileBatch<T>& batch, const ResidualResults<T>& results,
                     const ResidualMemory<T>& memory) {
  with_network<T>(network, g, [&](auto s, const auto& jet, NetworkBlock<T>& m) {
    using S = decltype(s);
    const TapePlace tape = tape_place<S>(g);
    const std::size_t shared = std::max(S::shared_bytes, tape.shared ? tape.elements * sizeof(T) : 0);
    const unsigned blocks = take_memory<T>(cuda, memory, batch.count, m);
    m.gradients = results.shares;
    launch<residual_kernel<S>>(cuda, {blocks, {S::side, S::side}, shared}, m, jet, g, batch, results,
                               tape.shared);
  });
}

template <class T>
void device_jacobian(const Cuda& cuda, const DeviceNetwork<T>& network, const DeviceGroupView<T>& g,
                     const TileBatch<T>& batch, T* rows, std::size_t stride,
                     const ResidualMemory<T>& memory) {
  with_network<T>(network, g, [&](auto s, const auto& jet, NetworkBlock<T>& m) {
    using S = decltype(s);
    if constexpr (S::tensor && sizeof(T) == 4) {
      ensure(false, "Jacobian rows are of ieee products");
    } else {
      const std::size_t stage =
          std::size_t(network.jet.host.channels * m.points) * row_stage_pitch * sizeof(T);
      const unsigned blocks = take_memory<T>(cuda, memory, batch.count, m);
      launch<jacobian_kernel<S>>(cuda, {blocks, {S::side, S::side}, std::max(S::shared_bytes, stage)}, m, jet,
                                 g, batch, rows, stride);
    }
  });
}

void device_causal_weights(const Cuda& cuda, int slices, const std::uint32_t* slice_tiles,
                           const std::uint32_t* slice_points, const double* tile_unit, double epsilon,
                           double negligible, double* slice_weight) {
  launch<causal_weights_kernel>(cuda, {1, 256}, slices, slice_tiles, slice_points, tile_unit, epsilon,
                                negligible, slice_weight);
}

void device_loss(const Cuda& cuda, std::size_t tiles, const PointTile* tile, const double* tile_loss,
                 const double* slice_weight, bool add, double* loss) {
  launch<loss_kernel>(cuda, {1, 256}, tiles, tile, tile_loss, slice_weight, add, loss);
}

template <class T>
void device_sum_shares(const Cuda& cuda, const T* shares, int blocks, View<T, 1> gradient) {
  launch<sum_shares_kernel<T>>(cuda, {blocks_for(gradient.size(), 256), 256}, shares, std::size_t(blocks),
                               gradient);
}

template <class T>
void device_weigh(const Cuda& cuda, const DeviceGroupView<T>& g, int slices,
                  const std::uint32_t* slice_points, View<T, 2> r) {
  launch<weigh_kernel<T>>(cuda, {blocks_for(g.points, 256), 256}, g, slices, slice_points, r);
}

template <class T>
void device_unpack_normal_equations(const Cuda& cuda, const T* products, std::size_t stride,
                                    View<T, 2> matrix, View<T, 1> gradient, double* loss) {
  launch<unpack_kernel<T>>(cuda, {unsigned(gradient.size()), 128}, products, stride, matrix, gradient, loss);
}

template <class T>
void device_row_norms(const Cuda& cuda, const T* rows, std::size_t count, std::size_t stride,
                      std::size_t parameters, double* norms) {
  launch<row_norms_kernel<T>>(cuda, {unsigned(count), 128}, rows, stride, parameters, norms);
}

#define SOBOLEV_INSTANTIATE(T)                                                                      \
  template int device_tile_points<T>(const DeviceNetwork<T>&, const DeviceGroupView<T>&);           \
  template std::size_t device_tile_features<T>(const DeviceNetwork<T>&, const DeviceGroupView<T>&); \
  template std::size_t device_residual_memory<T>(const Cuda&, const DeviceNetwork<T>&,              \
                                                 const DeviceGroupView<T>&);                        \
  template std::size_t device_features_memory<T>(const Cuda&, const DeviceFeatures<T>&, int);       \
  template void device_features<T>(const Cuda&, const DeviceNetwork<T>&, const DeviceGroupView<T>&, \
                                   const DeviceFeatures<T>&, std::size_t, std::size_t, T*, T*);     \
  template void device_residual<T>(const Cuda&, const DeviceNetwork<T>&, const DeviceGroupView<T>&, \
                                   const TileBatch<T>&, const ResidualResults<T>&,                  \
                                   const ResidualMemory<T>&);                                       \
  template void device_jacobian<T>(const Cuda&, const DeviceNetwork<T>&, const DeviceGroupView<T>&, \
                                   const TileBatch<T>&, T*, std::size_t, const ResidualMemory<T>&); \
  template void device_sum_shares<T>(const Cuda&, const T*, int, View<T, 1>);                       \
  template void device_weigh<T>(const Cuda&, const DeviceGroupView<T>&, int, const std::uint32_t*,  \
                                View<T, 2>);                                                        \
  template void device_unpack_normal_equations<T>(const Cuda&, const T*, std::size_t, View<T, 2>,   \
                                                  View<T, 1>, double*);                             \
  template void device_row_norms<T>(const Cuda&, const T*, std::size_t, std::size_t, std::size_t, double*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::detail
