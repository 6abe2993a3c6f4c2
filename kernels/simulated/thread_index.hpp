// SPDX-License-Identifier: Apache-2.0
#pragma once
// The variables that CUDA gives every thread. One OS thread runs one simulated thread at a time and sets
// them whenever another one takes over.

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
};

inline thread_local uint3 threadIdx{}, blockIdx{};
inline thread_local dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;
