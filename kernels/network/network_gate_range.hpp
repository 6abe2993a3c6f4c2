// SPDX-License-Identifier: Apache-2.0
#pragma once
// y = z ⊙ a + (1 − z) ⊙ b in the truncated Taylor algebra, on a range of n points, a multiple of the lanes;
// channel c starts at c · stride.
#include <cstddef>

#include "kernels/common/dispatch.hpp"
#include "kernels/jet/jet_table.hpp"

SOBOLEV_DECLARE_TARGETS(
    template <class T> void gate_forward_range(const detail::JetTableView<T>&, const T* z, const T* a,
                                               const T* b, T* y, std::size_t stride, std::size_t n);
    /// z̄, ā and b̄, each left out where it is null, and added to where its bit (0, 1, 2) of `adds` is set.
    template <class T> void gate_backward_range(const detail::JetTableView<T>&, const T* z, const T* a,
                                                const T* b, const T* y_bar, T* z_bar, T* a_bar, T* b_bar,
                                                unsigned adds, std::size_t stride, std::size_t n);)
