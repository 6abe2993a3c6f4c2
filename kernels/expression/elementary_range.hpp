// SPDX-License-Identifier: Apache-2.0
#pragma once
// elementary() on n contiguous numbers; x may be y.
#include <cstddef>

#include "kernels/common/dispatch.hpp"
#include "sobolev/expression/expr.hpp"

SOBOLEV_DECLARE_TARGETS(template <class T> void elementary_range(Op op, const T* x, T* y, std::size_t n);)
