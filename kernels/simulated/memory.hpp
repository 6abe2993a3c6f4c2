// SPDX-License-Identifier: Apache-2.0
#pragma once
// The memory of the simulated device: an address space apart. Every allocation lies between pages that
// nothing may touch, ends at the second of them (to 16 bytes) and is filled with 0xff, which reads as NaN.
// The host cannot look into it; kernels and copies can. A forbidden access ends the process with a message
// that names the kernel, the thread and the allocation.
#include <cstddef>

namespace sobolev::simulated {

/// From now on a fault in device memory, in shared memory or on a fibre's stack says what was touched by
/// whom.
void watch_faults();

/// nullptr when the device has not that much left. Any size but 0.
void* allocate(std::size_t bytes);
/// False when it is no allocation. Also looks whether the bytes behind the end were written.
bool release(void*);
/// True when [p, p + bytes) lies in one allocation.
bool on_device(const void* p, std::size_t bytes);
/// "byte 12 behind the end of an allocation of 100 bytes" and the like.
const char* locate(const void* p);

std::size_t memory_size();
std::size_t memory_free();
/// For tests of what happens when it runs out.
void set_memory_size(std::size_t bytes);

/// While one of these lives, the process may access device memory: what runs now runs on the device.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
};

}  // namespace sobolev::simulated
