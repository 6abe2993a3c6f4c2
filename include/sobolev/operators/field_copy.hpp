// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// A box of a field [B, N, C] on a grid of three axes, N = Π grid (fewer axes: ones in front).
struct FieldBox {
  Extents<3> grid{1, 1, 1}, first{0, 0, 0};
  std::size_t channel = 0;  // the first of those that are meant
};

/// to(b, i + to.first, c + to.channel) (+)= from(b, i + from.first, c + from.channel) for all samples b of
/// `to`, all i of a box and all c < channels: what pads, crops, joins and parts fields, and their adjoints.
/// `from` of one sample is that of all. Nothing else of `to` changes. ArgumentError where a box leaves its
/// grid or channels.
template <class T>
void field_copy(const Cpu&, View<const T, 3> from, const FieldBox& from_box, View<T, 3> to,
                const FieldBox& to_box, const Extents<3>& box, std::size_t channels, bool add);
template <class T>
void field_copy(const Cuda&, View<const T, 3> from, const FieldBox& from_box, View<T, 3> to,
                const FieldBox& to_box, const Extents<3>& box, std::size_t channels, bool add);

}  // namespace sobolev
