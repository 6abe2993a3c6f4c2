// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the parts of a device add to the profile (profile_cuda.cpp); null in builds without.
#include "sobolev/core/executor.hpp"

namespace sobolev::profile::detail {
struct DeviceHooks {
  void (*wait)(const Cuda&);
  void (*push)(const char*);
  void (*pop)();
};
extern const DeviceHooks* hooks;
/// Called by the first executor of a device.
void install_device_hooks();
}  // namespace sobolev::profile::detail
