// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"

namespace sobolev {

/// FLOP/s of independent fused multiply-adds on registers, by all threads of the executor and the
/// instruction set the kernels run on: the limit that benchmarks are compared with. Best of several runs
/// that take `seconds` together.
template <class T>
double machine_peak(const Cpu&, double seconds = 0.2);
/// By all multiprocessors, without tensor cores.
template <class T>
double machine_peak(const Cuda&, double seconds = 0.2);

}  // namespace sobolev
