// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tape on one tile of points, for the fused kernels.
#include "kernels/common/dispatch.hpp"
#include "kernels/expression/tape_view.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// registers : [inputs + instruction_count, stride], rows 0 … inputs−1 filled by the caller up to stride
    /// (finite padding). stride is a multiple of 64 / sizeof(T), n ≤ stride, rows are 64-byte aligned.
    template <class T> void tape_forward_tile(const detail::TapeView& tape, T* registers, int stride, int n);
    /// Reverse sweep after tape_forward_tile on the same registers. adjoints has the registers' shape; the
    /// caller has cleared it and added the seeds to the outputs' rows. Afterwards the inputs' rows hold x̄.
    template <class T>
    void tape_reverse_tile(const detail::TapeView& tape, const T* registers, T* adjoints, int stride, int n);)
