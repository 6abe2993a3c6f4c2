// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/operators/field_copy.hpp"

namespace sobolev::detail {
void check_field_copy(const Extents<3>& from, const FieldBox& from_box, const Extents<3>& to,
                      const FieldBox& to_box, const Extents<3>& box, std::size_t channels);
}  // namespace sobolev::detail
