// SPDX-License-Identifier: Apache-2.0
#pragma once
// The parts of a convolution that run per instruction set. "Planes" are the channels of a row of points one
// after the other, `pitch` numbers apart.
#include <cstddef>

#include "kernels/common/dispatch.hpp"
#include "sobolev/operators/channel_mix.hpp"

namespace sobolev::detail {
/// A tap, and its first point in the planes of the first channel.
template <class T>
struct RowTerm {
  const T* source;
  std::size_t tap;
};
/// Where points of a row go: entry t to point first + t step; null for what is not there.
template <class T>
struct RowTarget {
  std::size_t first, step, count;
  const T *bias, *added;
  FieldActivation activation;
  T *y, *slope;
};
}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    using detail::RowTarget; using detail::RowTerm;
    /// Outputs of a whole register block. Weights are [outputs in blocks][tap][channel][of the block], the
    /// last outputs in blocks of 4, 2 and 1.
    std::size_t convolution_block();
    /// Entries first … first + count − 1 of a phase, of which `known` points are listed, as planes of `pitch`
    /// numbers; 0 where there is no point, and behind the count. step: from one point to the next, where none
    /// of them is beyond an end.
    template <class T>
    void planes_of_row(const T* row, std::size_t channels, const int* points, int step, std::size_t first,
                       std::size_t count, std::size_t known, std::size_t pitch, T* planes);
    /// out[o][t] = Σ over terms and channels, t = 0 … points − 1 rounded up to whole vectors.
    template <class T>
    void convolution_sums(const RowTerm<T>* terms, std::size_t count, std::size_t taps, std::size_t channels,
                          std::size_t pitch, std::size_t points, const T* weight, std::size_t outputs, T* out,
                          std::size_t out_pitch);
    /// y = σ(planes + bias + added), points first. turned: memory for 16 points, channels rounded up to 16.
    template <class T> void row_of_planes(const T* planes, std::size_t pitch, std::size_t channels,
                                          const RowTarget<T>& to, T* turned);
    /// weight_bar[targets[s] + o] += Σ over rows and points of source[offsets[s] + t] bar[o bar_pitch + t].
    template <class T>
    void weight_sums(const T* const* sources, const T* const* bars, std::size_t rows,
                     const std::size_t* offsets, std::size_t count, std::size_t outputs,
                     std::size_t bar_pitch, std::size_t points, const std::size_t* targets, T* weight_bar);)
