// SPDX-License-Identifier: Apache-2.0
#pragma once
// A jet's tables as an argument of kernels: known to the compiler, or read from device memory.
#include "kernels/jet/jet_algebra_detail.hpp"
#include "kernels/jet/jet_device_table.hpp"

namespace sobolev::detail {

/// The algebra and the coefficients of its products.
template <class Jet, class T>
struct DeviceJet {
  Jet algebra;
  T values[target_cuda::jet_product_bound<Jet> + 1];  // unrolled: in the argument itself
  const T* memory;                                    // general: in device memory
  __device__ const T* coefficients() const {
    if constexpr (Jet::unrolled) return values;
    return memory;
  }
};

/// f(DeviceJet) of a table: called on the host, to launch the kernel that fits.
template <class T, class F>
void with_device_jet(const DeviceJetView<T>& table, F&& f) {
  target_cuda::with_jet<T>(table.host, [&](auto algebra) {
    using Jet = decltype(algebra);
    DeviceJet<Jet, T> jet{algebra, {}, table.coefficients};
    if constexpr (Jet::unrolled) {
      for (int i = 0; i < Jet::product_count(); ++i) jet.values[i] = table.host.coefficients[i];
    } else {
      jet.algebra.products = table.products;
      jet.algebra.reach_of = table.reach;
    }
    f(jet);
  });
}

}  // namespace sobolev::detail
