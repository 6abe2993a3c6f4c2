// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "sobolev/core/executor.hpp"

namespace sobolev {

/// Time per operation, of the whole process; off until it is switched on. While it is on, every operation on
/// a device waits for the one before and for its own end, CUDA graphs are not used, and the sum is longer
/// than a run without it. For use by one thread at a time.
namespace profile {
void enable(bool on);
bool enabled();
/// Ranges for NVIDIA's profilers (NVTX), without waiting for anything. On from the start when the environment
/// variable SOBOLEV_NVTX is 1; builds without CUDA have none.
void enable_nvtx(bool on);

struct Entry {
  std::string name;
  long calls;
  double seconds;       // with the operations inside it
  double self_seconds;  // without them
};
/// What was measured since reset(), by self_seconds, the longest first.
std::vector<Entry> entries();
void reset();

/// An operation from construction to destruction; costs a comparison while profiling is off. `name` must
/// outlive the process.
class Range {
 public:
  Range(const Cpu&, const char* name);
  Range(const Cuda&, const char* name);
  ~Range();
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  void begin(const char* name);
  void end();
  bool timed_ = false, marked_ = false;
  const Cuda* cuda_ = nullptr;
};
}  // namespace profile

}  // namespace sobolev
