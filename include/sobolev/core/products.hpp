// SPDX-License-Identifier: Apache-2.0
#pragma once
namespace sobolev {

/// How a device multiplies the float32 matrices of a first-order training step
/// (ResidualObjective::loss_gradient, mlp_forward, mlp_backward). The relative error of a product a·b:
///   ieee    IEEE float32 multiply-adds, 2^-24
///   tf32x3  a, b as sums of two TF32 numbers, three products by the matrix units: 2^-21
///   bf16x3  the same with bfloat16: 2^-16
///   tf32    a, b rounded to TF32: 2^-10
/// Sums are in float32; those of matrix units are not rounded to nearest. What is not float32, not on a CUDA
/// device, or of a network of at most 32 features a layer is always ieee; float64 uses the matrix units,
/// whose float64 is ieee.
enum class Products { ieee, tf32x3, bf16x3, tf32 };

/// "ieee", "3xtf32", "3xbf16" or "tf32", as problem files have it.
constexpr const char* to_string(Products products) {
  switch (products) {
    case Products::tf32x3: return "3xtf32";
    case Products::bf16x3: return "3xbf16";
    case Products::tf32: return "tf32";
    case Products::ieee: break;
  }
  return "ieee";
}

}  // namespace sobolev
