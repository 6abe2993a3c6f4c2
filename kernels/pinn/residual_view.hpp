// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "kernels/expression/tape_view.hpp"

namespace sobolev::detail {

/// A FieldInput in the form that the kernels read.
template <class T>
struct FieldIndex {
  int output, channel;
  T scale;
};

/// What every executor's kernels read of a residual group besides its jet and its features.
template <class T>
struct ResidualView {
  int copies;  // mirrored copies of each point, itself included
  const FieldIndex<T>* fields;
  int field_count, externals, coordinates, residuals;
  TapeView tape;
  std::size_t points;
  const T* x;             // [D, N]
  const T* external;      // [externals, N]
  const T* point_weight;  // [N] or null
  const T* weight;        // [E]
};

}  // namespace sobolev::detail
