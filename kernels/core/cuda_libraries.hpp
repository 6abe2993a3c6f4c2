// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which operations go to the libraries that come with CUDA. They are loaded when they are first asked for, so
// that programs start where there are none; a simulated device has none.
#include "sobolev/core/cuda.hpp"

namespace sobolev::detail {

#if SOBOLEV_CUDA_SIMULATED
inline constexpr bool have_libraries = false;
#else
inline constexpr bool have_libraries = true;
#endif

/// Whether all of them could be loaded.
bool libraries_loaded();
/// DeviceError unless they could, with the reason.
void require_libraries();

/// Whether the library is to do an operation in which it is `faster` than the kernel.
inline bool by_library(const Cuda& cuda, bool faster) {
  return cuda.engine() == Engine::library ||
         (cuda.engine() == Engine::automatic && faster && libraries_loaded());
}

}  // namespace sobolev::detail
