// SPDX-License-Identifier: Apache-2.0
#pragma once
// Symmetric updates in column panels, shared by syrk, cholesky and the Gauss–Newton matrix.
// A block of rows of A is kept as [panel][rows][width]; C is row-major with a padded leading dimension
// `ld`, a multiple of width; only its upper triangle (and the rest of the diagonal blocks) is touched.
#include <cstddef>

#include "kernels/common/dispatch.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// Columns per panel.
    template <class T> int panel_width();
    /// Panel q of A : [rows, columns] with row stride; zeros beyond the last column.
    template <class T>
    void panel_pack(const T* a, std::size_t stride, int rows, std::size_t columns, int q, T* panel);
    /// C[p, q] += Σ_r A[r, p]ᵀ A[r, q] (subtract: −=) for one pair of panels p ≤ q.
    template <class T>
    void panel_update(const T* left, const T* right, int rows, T* c, std::size_t ld, bool subtract);
    /// The diagonal block becomes U (false: not positive definite); U's rows are made contiguous in `block`.
    template <class T> bool panel_factor(T* c, std::size_t ld, T* block);
    /// The block right of it becomes U⁻ᵀ C, and is copied to `panel` : [width][width].
    template <class T> void panel_solve(const T* block, T* c, std::size_t ld, T* panel);)
