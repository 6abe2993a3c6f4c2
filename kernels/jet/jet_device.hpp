// SPDX-License-Identifier: Apache-2.0
#pragma once
// A jet's tables as an argument of kernels. Kernels are compiled for a number of channels, not for each
// algebra that has as many: their products are those of all common algebras, with coefficients that may be
// zero. That costs a few multiplications beside the K · width of a layer and leaves half of the kernels.
#include <optional>

#include "kernels/jet/jet_algebra_detail.hpp"
#include "kernels/jet/jet_device_table.hpp"

namespace sobolev::target_cuda {

/// The products of the algebras of K channels in JetShape.
template <int channels>
struct ChannelTables;
#define SOBOLEV_JET_CHANNELS(k, count, ...)                                       \
  template <>                                                                     \
  struct ChannelTables<k> {                                                       \
    static constexpr int channels = k, order = k - 1, product_count = count;      \
    static constexpr JetProductIndex products[count ? count : 1] = {__VA_ARGS__}; \
  };
SOBOLEV_JET_CHANNELS(1, 0, {0, 0, 0})
SOBOLEV_JET_CHANNELS(2, 0, {0, 0, 0})
SOBOLEV_JET_CHANNELS(3, 1, {2, 1, 1})
SOBOLEV_JET_CHANNELS(4, 5, {2, 1, 1}, {3, 1, 1}, {3, 1, 2}, {3, 2, 1}, {3, 2, 2})
SOBOLEV_JET_CHANNELS(5, 8, {2, 1, 1}, {3, 1, 2}, {3, 2, 1}, {4, 1, 1}, {4, 1, 3}, {4, 2, 2}, {4, 3, 1},
                     {4, 3, 3})
#undef SOBOLEV_JET_CHANNELS
template <int channels>
using ChannelJet = UnrolledTables<ChannelTables<channels>>;

}  // namespace sobolev::target_cuda

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

/// The table's coefficients in the order of a ChannelJet, if its products are among those.
template <class Jet, class T>
std::optional<DeviceJet<Jet, T>> unrolled_jet(const JetTableView<T>& table) {
  DeviceJet<Jet, T> jet{};
  if (table.channels != Jet::max_channels) return {};
  for (int i = 0; i < table.product_count; ++i) {
    int place = 0;
    const JetProductIndex p = table.products[i];
    while (place < Jet::product_count() &&
           (Jet::product(place).out != p.out || Jet::product(place).left != p.left ||
            Jet::product(place).right != p.right))
      ++place;
    if (place == Jet::product_count()) return {};
    jet.values[place] = table.coefficients[i];
  }
  return jet;
}

/// f(DeviceJet) of a table with the algebra that reads its tables at run time.
template <class T, class F>
void with_general_jet(const DeviceJetView<T>& table, F&& f) {
  using Jet = target_cuda::GeneralJet<T>;
  f(DeviceJet<Jet, T>{
      {table.products, table.reach, table.host.channels, table.host.order, table.host.product_count},
      {},
      table.coefficients});
}

/// f(DeviceJet) of a table: called on the host, to launch the kernel that fits.
template <class T, class F>
void with_device_jet(const DeviceJetView<T>& table, F&& f) {
  const auto with_channels = [&](auto channels) {
    using Jet = target_cuda::ChannelJet<channels()>;
    const std::optional<DeviceJet<Jet, T>> jet = unrolled_jet<Jet, T>(table.host);
    if (jet) f(*jet);
    return jet.has_value();
  };
  using std::integral_constant;
  if (with_channels(integral_constant<int, 1>{}) || with_channels(integral_constant<int, 2>{}) ||
      with_channels(integral_constant<int, 3>{}) || with_channels(integral_constant<int, 4>{}) ||
      with_channels(integral_constant<int, 5>{}))
    return;
  with_general_jet<T>(table, f);
}

}  // namespace sobolev::detail
