// SPDX-License-Identifier: Apache-2.0
#pragma once
// A jet's tables as an argument of kernels: known to the compiler, or read from device memory.
#include "kernels/jet/jet_algebra_detail.hpp"
#include "sobolev/core/cuda.hpp"

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

/// The tables of a general jet in device memory, in one piece of each kind.
template <class T>
class DeviceJetTable {
 public:
  DeviceJetTable(const Cuda& cuda, const JetTableView<T>& host)
      : host_(host),
        products_(cuda, general() ? std::size_t(host.product_count) : 0),
        coefficients_(cuda, products_.size()),
        reach_(cuda, general() ? std::size_t(host.channels) : 0) {
    if (!general()) return;
    const std::size_t n = products_.size(), k = reach_.size();
    upload<JetProductIndex, 1>(cuda, View<const JetProductIndex, 1>(host.products, n), products_.view(n));
    upload<T, 1>(cuda, View<const T, 1>(host.coefficients, n), coefficients_.view(n));
    upload<std::int8_t, 1>(cuda, View<const std::int8_t, 1>(host.reach, k), reach_.view(k));
  }

  /// f(DeviceJet) of this table: called on the host, to launch the kernel that fits.
  template <class F>
  void with(F&& f) const {
    target_cuda::with_jet<T>(host_, [&](auto algebra) {
      using Jet = decltype(algebra);
      DeviceJet<Jet, T> jet{algebra, {}, coefficients_.data()};
      if constexpr (Jet::unrolled) {
        for (int i = 0; i < Jet::product_count(); ++i) jet.values[i] = host_.coefficients[i];
      } else {
        jet.algebra.products = products_.data();
        jet.algebra.reach_of = reach_.data();
      }
      f(jet);
    });
  }

 private:
  bool general() const { return host_.shape == JetShape::general; }
  JetTableView<T> host_;
  DeviceBuffer<JetProductIndex> products_;
  DeviceBuffer<T> coefficients_;
  DeviceBuffer<std::int8_t> reach_;
};

}  // namespace sobolev::detail
