// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "kernels/common/dispatch.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// z̄ = ȳ ⊙ slope in place (null: the identity) and sum += Σ z̄ over the rows (null: no sum).
    template <class T>
    void slope_rows(const T* slope, std::size_t rows, std::size_t outputs, T* y_bar, T* sum);)
