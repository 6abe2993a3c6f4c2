// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/cuda.hpp"
#include "src/core/profile.hpp"
#if __has_include(<nvtx3/nvToolsExt.h>) && !SOBOLEV_CUDA_SIMULATED
#include <nvtx3/nvToolsExt.h>
#define SOBOLEV_NVTX 1
#endif

namespace sobolev::profile::detail {

void install_device_hooks() {
  static const DeviceHooks device = {
    [](const Cuda& cuda) { cuda.synchronize(); },
#if SOBOLEV_NVTX
    [](const char* name) { nvtxRangePushA(name); },
    [] { nvtxRangePop(); }
#else
    [](const char*) {},
    [] {}
#endif
  };
  hooks = &device;
}

}  // namespace sobolev::profile::detail
