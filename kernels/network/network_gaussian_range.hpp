// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gaussians y = exp(−½ Σ_k z_k²), z_k = ρ_k (x_k − μ_k), ρ = e^(−log width), in the truncated Taylor algebra,
// on one panel of features of a tile, or summed over all panels. x is slot 0; rows are channel · T + point.
// Of full covariance z_k = ρ_k (x_k − μ_k + Σ_{j<k} a_kj (x_j − μ_j)), always by the series.
#include <cstddef>

#include "kernels/common/dispatch.hpp"
#include "kernels/jet/jet_table.hpp"

namespace sobolev::detail {

/// Inputs that are coordinates, up to a factor and a shift: each has one derivative, no two axes the same.
/// Found by gaussian_axes for the points of a tile; network_gaussian_axes_detail.hpp has the formulas.
struct GaussianAxes {
  bool coordinates;           // whether they are, and the algebra ends with second derivatives
  int axis[max_dimensions];   // the input whose derivative is in channel a + 1
  int other[max_dimensions];  // the rest: without derivatives, or with one in the last, collapsed channel
  int others;
};

template <class T>
struct GaussianPanel {
  const T* x;                   // [panels][K·T][width]
  std::size_t panel;            // elements of one of its panels
  int width, inputs, points;    // points: T
  const T *centre, *sharpness;  // μ, ρ : [inputs][width]; ρ = 0 in the padding; more panels follow
  GaussianAxes axes;
  const T* shear = nullptr;  // a : [inputs (inputs − 1)/2][width] of full covariance; axes has none then
};

/// Rows of a Jacobian. Element (k, i) of point p is at p · stride + k · input_stride + i.
template <class T>
struct GaussianRows {
  int count, copies, apart;  // points 0 … count − 1, each with its copies, `apart` points from each other
  const T* scale;            // [count] or null
  int features;              // the panel's first that there are
  std::size_t stride, input_stride;
  T *centre, *width, *shear = nullptr;
};

}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    /// x, panel, width, inputs, points as in a GaussianPanel.
    template <class T>
    detail::GaussianAxes gaussian_axes(const detail::JetTableView<T>&, const T* x, std::size_t panel,
                                       int width, int inputs, int points);
    /// y : [K·T][width].
    template <class T>
    void gaussian_forward_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&, T* y);
    /// centre_bar, width_bar : [inputs][width] += the gradient by μ and by the logarithm of the width, from
    /// the adjoint of the exponent −½ Σ z²; shear_bar, as shear, by a. exponent_bar : [K·T][width]
    template <class T>
    void gaussian_gradient_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&,
                                 const T* exponent_bar, T* centre_bar, T* width_bar, T* shear_bar = nullptr);
    /// The same point by point.
    template <class T>
    void gaussian_rows_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&,
                             const T* exponent_bar, const detail::GaussianRows<T>&);
    /// The three of full covariance, to which those above hand over.
    template <class T>
    void full_gaussian_forward_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&, T* y);
    template <class T>
    void full_gaussian_gradient_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&,
                                      const T* exponent_bar, T* centre_bar, T* width_bar, T* shear_bar);
    template <class T>
    void full_gaussian_rows_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>&,
                                  const T* exponent_bar, const detail::GaussianRows<T>&);

    /// out = Σ w y (+ bias on the rows of values) over all panels, of coordinates only; of y itself the
    /// values alone are stored.   w : [panels][width], out : [K·T], y : panels, `panel` elements apart, of
    /// [T][width]
    template <class T>
    void gaussian_sum_forward_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>& first,
                                    int panels, const T* w, T bias, T* y, T* out);
    /// w_bar : [panels][width], centre_bar, width_bar : [panels][inputs][width] += the gradient of Σ out_bar
    /// · out.   out_bar : [K·T]
    template <class T>
    void gaussian_sum_gradient_range(const detail::JetTableView<T>&, const detail::GaussianPanel<T>& first,
                                     int panels, const T* w, const T* y, const T* out_bar, T* w_bar,
                                     T* centre_bar, T* width_bar);)
