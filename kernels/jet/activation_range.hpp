// SPDX-License-Identifier: Apache-2.0
#pragma once
// Activation jets on a range of n contiguous points; channel c starts at c · stride.
#include <cstddef>

#include "kernels/common/dispatch.hpp"
#include "kernels/jet/jet_table.hpp"
#include "sobolev/jet/activation.hpp"

SOBOLEV_DECLARE_TARGETS(template <class T>
                        void activation_forward_range(Activation, const detail::JetTableView<T>&, const T* z,
                                                      T* y, std::size_t stride, std::size_t n);
                        template <class T>
                        void activation_backward_range(Activation, const detail::JetTableView<T>&, const T* z,
                                                       const T* y, const T* y_bar, T* z_bar,
                                                       std::size_t stride, std::size_t n);)
