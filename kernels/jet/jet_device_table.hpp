// SPDX-License-Identifier: Apache-2.0
#pragma once
// A jet's tables in device memory.
#include "kernels/jet/jet_table.hpp"
#include "sobolev/core/cuda.hpp"

namespace sobolev::detail {

/// A table on the host, and the same on the device.
template <class T>
struct DeviceJetView {
  JetTableView<T> host;
  const JetProductIndex* products;
  const T* coefficients;
  const std::int8_t* reach;
};

template <class T>
class DeviceJetTable {
 public:
  DeviceJetTable(const Cuda& cuda, const JetTableView<T>& host)
      : host_(host),
        products_(cuda, std::size_t(host.product_count)),
        coefficients_(cuda, products_.size()),
        reach_(cuda, std::size_t(host.channels)) {
    const std::size_t n = products_.size(), k = reach_.size();
    upload<JetProductIndex, 1>(cuda, View<const JetProductIndex, 1>(host.products, n), products_.view(n));
    upload<T, 1>(cuda, View<const T, 1>(host.coefficients, n), coefficients_.view(n));
    upload<std::int8_t, 1>(cuda, View<const std::int8_t, 1>(host.reach, k), reach_.view(k));
  }
  /// Valid as long as this and the host's table are.
  DeviceJetView<T> view() const { return {host_, products_.data(), coefficients_.data(), reach_.data()}; }

 private:
  JetTableView<T> host_;
  DeviceBuffer<JetProductIndex> products_;
  DeviceBuffer<T> coefficients_;
  DeviceBuffer<std::int8_t> reach_;
};

}  // namespace sobolev::detail
