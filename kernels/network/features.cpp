// SPDX-License-Identifier: Apache-2.0
// The jets of the features: coordinates, Fourier modes, expressions.      x : [N, D], y : [K, F, N]
// Point by point: one sine and cosine per periodic coordinate, the modes by the angle-addition
// recurrence, the derivatives of cos kωx, sin kωx by their cycle of four. Writes F·K values per point
// (most of them zero): for a fixed point set the fused kernels keep them (pinn/step.cpp).
#include "sobolev/network/features.hpp"

#include "kernels/expression/tape_tile.hpp"
#include "kernels/network/features_math.hpp"
#include "kernels/network/features_tile.hpp"

namespace sobolev::SOBOLEV_TARGET {
template <class T>
std::size_t features_scratch_size(const detail::FeatureView<T>& view, int n) {
  if (view.expression_count == 0) return 0;
  return std::size_t(view.tape.registers()) * std::size_t(whole_lines<T>(n));
}

template <class T>
void features_tile(const detail::FeatureView<T>& view, const T* x, std::size_t x_stride, int n, T* out,
                   int panel_width, std::size_t panel_stride, int channel_rows, int row_stride, T* scratch) {
  const auto at = [&](int feature, int channel, int p) -> T& {
    return out[std::size_t(feature / panel_width) * panel_stride + std::size_t(feature % panel_width) +
               std::size_t(channel * channel_rows + p) * std::size_t(row_stride)];
  };
  plain_features<T>(view, x, x_stride, n, at);
  if (view.expression_count == 0) return;
  const int stride = whole_lines<T>(n);
  for (int d = 0; d < view.coordinates; ++d)
    for (int p = 0; p < stride; ++p)
      scratch[d * stride + p] = x[std::size_t(d) * x_stride + std::size_t(p < n ? p : n - 1)];
  const detail::TapeView& tape = view.tape;
  tape_forward_tile<T>(tape, scratch, stride, n);
  for (int i = 0; i < view.expression_count; ++i)
    for (int k = 0; k < view.channels; ++k) {
      const T* result = scratch + std::size_t(tape.outputs[i * view.channels + k]) * std::size_t(stride);
      for (int p = 0; p < n; ++p) at(view.expression_features[i], k, p) = result[p];
    }
}

template std::size_t features_scratch_size<float>(const detail::FeatureView<float>&, int);
template std::size_t features_scratch_size<double>(const detail::FeatureView<double>&, int);
template void features_tile<float>(const detail::FeatureView<float>&, const float*, std::size_t, int, float*,
                                   int, std::size_t, int, int, float*);
template void features_tile<double>(const detail::FeatureView<double>&, const double*, std::size_t, int,
                                    double*, int, std::size_t, int, int, double*);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <omp.h>

#include "kernels/network/features_shapes.hpp"
#include "sobolev/core/buffer.hpp"

namespace sobolev {
template <class T>
void feature_jets(const Cpu& cpu, const Features& features, const JetSpec& spec, View<const T, 2> x,
                  unsigned mirror, View<T, 3> y) {
  const std::size_t n = x.extent(0), dimensions = x.extent(1), inputs = std::size_t(features.inputs());
  detail::check_feature_shapes(features, spec, x.shape(), y.shape());
  const detail::FeatureTable<T> table(features, spec, mirror);
  const detail::FeatureView<T> view = table.view();
  constexpr int tile = 64;
  const std::size_t scratch_size = SOBOLEV_CALL(features_scratch_size<T>, view, tile);
  const std::size_t per_thread = scratch_size + (dimensions + inputs * std::size_t(spec.channels())) * tile;
  Buffer<T> memory(per_thread * std::size_t(cpu.threads()));
#pragma omp parallel num_threads(cpu.threads())
  {
    T* scratch = memory.data() + per_thread * std::size_t(omp_get_thread_num());
    T* columns = scratch + scratch_size;
    T* out = columns + dimensions * tile;  // [K][tile][F]
#pragma omp for schedule(static)
    for (std::size_t first = 0; first < n; first += tile) {
      const int count = int(n - first < tile ? n - first : tile);
      for (std::size_t d = 0; d < dimensions; ++d)
        for (int p = 0; p < count; ++p)
          columns[d * tile + std::size_t(p)] = x.data()[(first + std::size_t(p)) * dimensions + d];
      for (std::size_t i = 0; i < inputs * std::size_t(spec.channels()) * tile; ++i) out[i] = 0;
      SOBOLEV_CALL(features_tile<T>, view, columns, std::size_t(tile), count, out, int(inputs),
                   std::size_t(0), tile, int(inputs), scratch);
      for (std::size_t k = 0; k < std::size_t(spec.channels()); ++k)
        for (std::size_t f = 0; f < inputs; ++f)
          for (int p = 0; p < count; ++p)
            y.data()[(k * inputs + f) * n + first + std::size_t(p)] =
                out[(k * tile + std::size_t(p)) * inputs + f];
    }
  }
}

template void feature_jets<float>(const Cpu&, const Features&, const JetSpec&, View<const float, 2>, unsigned,
                                  View<float, 3>);
template void feature_jets<double>(const Cpu&, const Features&, const JetSpec&, View<const double, 2>,
                                   unsigned, View<double, 3>);
}  // namespace sobolev
#endif
