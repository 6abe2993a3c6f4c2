// SPDX-License-Identifier: Apache-2.0
#pragma once
// The jets of the features of one tile of points.
#include "kernels/common/dispatch.hpp"
#include "kernels/network/features_table.hpp"

SOBOLEV_DECLARE_TARGETS(

    /// Elements of scratch that features_tile needs for n points.
    template <class T> std::size_t features_scratch_size(const detail::FeatureView<T>&, int n);

    /// Feature f of channel c at point p goes to out[f_offset(f) + (c · channel_rows + p) · row_stride],
    /// where f_offset(f) = (f / panel_width) · panel_stride + f % panel_width. Zero entries are not written:
    /// out is cleared beforehand.                                    x : D columns at x[d · x_stride + p], p
    /// < n
    template <class T> void features_tile(const detail::FeatureView<T>&, const T* x, std::size_t x_stride,
                                          int n, T* out, int panel_width, std::size_t panel_stride,
                                          int channel_rows, int row_stride, T* scratch);

)
