// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernels/common/cuda.hpp"

namespace sobolev {

/// values[0] = the values of all threads combined, in a fixed order. `values` is a shared array of one value
/// per thread of a one-dimensional block of 2^k threads, each written by its own thread; thread 0 may read
/// the result at once, the others after a barrier.
template <class Array, class Combine>
__device__ void block_reduce(Array& values, Combine combine) {
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) values[threadIdx.x] = combine(values[threadIdx.x], values[threadIdx.x + half]);
  }
}
template <class Array>
__device__ void block_sum(Array& values) {
  block_reduce(values, [](auto a, auto b) { return a + b; });
}

}  // namespace sobolev
