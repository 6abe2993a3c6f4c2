// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gaussians y = exp(−½ Σ_k z_k²), z_k = ρ_k (x_k − μ_k), ρ = e^(−log width), in the truncated Taylor algebra,
// on one panel of features of a tile. x is slot 0; rows are channel · T + point.
#include <cstddef>

#include "kernels/common/dispatch.hpp"
#include "kernels/jet/jet_table.hpp"

namespace sobolev::detail {

template <class T>
struct GaussianPanel {
  const T* x;                   // [panels][K·T][width]
  std::size_t panel;            // elements of one of its panels
  int width, inputs, points;    // points: T
  const T *centre, *sharpness;  // μ, ρ : [inputs][width]; ρ = 0 in the padding
};

}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    /// y : [K·T][width].
    template <class T>
    void gaussian_forward_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&, T* y);
    /// centre_bar, width_bar : [inputs][width] += the gradient by μ and by the logarithm of the width, from
    /// the adjoint of the exponent −½ Σ z². exponent_bar : [K·T][width]
    template <class T>
    void gaussian_gradient_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&,
                                 const T* exponent_bar, T* centre_bar, T* width_bar);
    /// The same of one point and its `copies`, `apart` points from each other, times `scale`, for the panel's
    /// first `features`: element (k, i) at k · stride + i.
    template <class T>
    void gaussian_row_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&,
                            const T* exponent_bar, int point, int copies, int apart, T scale, int features,
                            std::size_t stride, T* centre_row, T* width_row);)
