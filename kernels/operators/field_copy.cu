// SPDX-License-Identifier: Apache-2.0
// A box of one field becomes, or is added to, a box of another.                       fields : [B, N, C]
// One thread per number, grid-stride, channels fastest. Moves 2 (with add 3) numbers per number: bandwidth
// bound.
#include "kernels/common/cuda.hpp"
#include "kernels/operators/field_copy_shapes.hpp"

namespace sobolev {
namespace {
template <class T>
__device__ std::size_t place_in(const View<T, 3>& field, const FieldBox& at, std::size_t b,
                                const std::size_t* i) {
  const std::size_t sample = field.extent(0) == 1 ? 0 : b;
  const std::size_t point =
      ((sample * at.grid[0] + at.first[0] + i[0]) * at.grid[1] + at.first[1] + i[1]) * at.grid[2] +
      at.first[2] + i[2];
  return point * field.extent(2) + at.channel;
}

template <class T>
__global__ void field_copy_kernel(View<const T, 3> from, FieldBox from_box, View<T, 3> to, FieldBox to_box,
                                  Extents<3> box, std::size_t channels, bool add) {
  const std::size_t count = to.extent(0) * box[0] * box[1] * box[2] * channels;
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t n = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; n < count; n += stride) {
    const std::size_t c = n % channels, p = n / channels;
    const std::size_t i[3] = {p / box[2] / box[1] % box[0], p / box[2] % box[1], p % box[2]};
    const std::size_t b = p / box[2] / box[1] / box[0];
    T& out = to.data()[place_in(to, to_box, b, i) + c];
    const T value = from.data()[place_in(from, from_box, b, i) + c];
    out = add ? out + value : value;
  }
}
}  // namespace

template <class T>
void field_copy(const Cuda& cuda, View<const T, 3> from, const FieldBox& from_box, View<T, 3> to,
                const FieldBox& to_box, const Extents<3>& box, std::size_t channels, bool add) {
  detail::check_field_copy(from.shape(), from_box, to.shape(), to_box, box, channels);
  const std::size_t count = to.extent(0) * box[0] * box[1] * box[2] * channels;
  if (count == 0) return;
  launch<field_copy_kernel<T>>(cuda, {blocks_for(count, 256), 256}, from, from_box, to, to_box, box, channels,
                               add);
}
template void field_copy<float>(const Cuda&, View<const float, 3>, const FieldBox&, View<float, 3>,
                                const FieldBox&, const Extents<3>&, std::size_t, bool);
template void field_copy<double>(const Cuda&, View<const double, 3>, const FieldBox&, View<double, 3>,
                                 const FieldBox&, const Extents<3>&, std::size_t, bool);
}  // namespace sobolev
