// SPDX-License-Identifier: Apache-2.0
#pragma once
// Products in column panels, shared by syrk, cholesky and the Gauss–Newton matrix: a block of rows of A is
// kept as [panel][rows][width].
#include <cstddef>

#include "kernels/common/dispatch.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// Columns per panel.
    template <class T> int panel_width();
    /// Panel q of A : [rows, columns] with row stride; zeros beyond the last column.
    template <class T>
    void panel_pack(const T* a, std::size_t stride, int rows, std::size_t columns, int q, T* panel);
    /// C[p, q] += Σ_r A[r, p]ᵀ A[r, q] (subtract: −=) for one pair of panels: c : [width][ld].
    template <class T>
    void panel_update(const T* left, const T* right, int rows, T* c, std::size_t ld, bool subtract);
    /// The diagonal block [width][width] becomes U (false: not positive definite).
    template <class T> bool panel_factor(T* block);
    /// The block right of it becomes U⁻ᵀ times it.
    template <class T> void panel_solve(const T* factor, T* block);)
