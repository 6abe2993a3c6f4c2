// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sobolev::detail {

/// A FieldInput in the form that the kernels read.
template <class T>
struct FieldIndex {
  int output, channel;
  T scale;
};

}  // namespace sobolev::detail
