// SPDX-License-Identifier: Apache-2.0
#pragma once
// What planned networks have in common on all executors: the members, which check their arguments and hand on
// to detail::PlannedNetworkOn<T, E>, and the calls that make a plan of their own.
#include "kernels/network/network_shapes.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {

template <class T, class E>
PlannedNetwork<T, E>::PlannedNetwork(const E& executor, const Network& network, const JetSpec& spec,
                                     std::size_t points)
    : impl_(std::make_unique<detail::PlannedNetworkOn<T, E>>(executor, network, spec, points, true)) {}
template <class T, class E>
PlannedNetwork<T, E>::PlannedNetwork(PlannedNetwork&&) noexcept = default;
template <class T, class E>
PlannedNetwork<T, E>& PlannedNetwork<T, E>::operator=(PlannedNetwork&&) noexcept = default;
template <class T, class E>
PlannedNetwork<T, E>::~PlannedNetwork() = default;

template <class T, class E>
void PlannedNetwork<T, E>::forward(View<const T, 1> parameters, View<const T, 3> x, View<T, 3> y) {
  impl_->forward(parameters, x, y);
}
template <class T, class E>
void PlannedNetwork<T, E>::backward(View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar,
                                    View<T, 1> gradient) {
  impl_->backward(parameters, x, y_bar, gradient);
}
template <class T, class E>
std::size_t PlannedNetwork<T, E>::scratch_bytes() const {
  return impl_->scratch_bytes();
}

// NOLINTBEGIN(bugprone-macro-parentheses)
#define SOBOLEV_INSTANTIATE(T, E)                                                               \
  template class PlannedNetwork<T, E>;                                                          \
  template void network_forward<T>(const E&, const Network&, const JetSpec&, View<const T, 1>,  \
                                   View<const T, 3>, View<T, 3>);                               \
  template void network_backward<T>(const E&, const Network&, const JetSpec&, View<const T, 1>, \
                                    View<const T, 3>, View<const T, 3>, View<T, 1>);
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace sobolev
