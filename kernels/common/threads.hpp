// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "sobolev/core/executor.hpp"

namespace sobolev::detail {

/// How many of the threads are worth waking for so many floating-point operations between two barriers: a
/// thread does about 10 a nanosecond; waking it and waiting for it takes some 20 microseconds.
inline int threads_for(const Cpu& cpu, double operations) {
  constexpr double worth_a_thread = 5e5;
  return operations >= worth_a_thread * cpu.threads() ? cpu.threads()
                                                      : std::max(1, int(operations / worth_a_thread));
}

}  // namespace sobolev::detail
