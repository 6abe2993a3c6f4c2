// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace sobolev {

/// Runs kernels on the host. Results never depend on the number of threads.
class Cpu {
 public:
  /// threads = 0: all that the process may use. ArgumentError also for a SOBOLEV_SIMD that names nothing.
  explicit Cpu(int threads = 0);
  int threads() const { return threads_; }
  /// The instruction set the kernels run on: "avx512", "avx2" or "baseline". The environment
  /// variable SOBOLEV_SIMD lowers the choice (it cannot raise it).
  static std::string instruction_set();
  /// The processor's own name, for reports.
  static std::string processor();

 private:
  int threads_;
};

/// Declared so that code can name it; defined in builds with a CUDA back end (cuda.hpp).
class Cuda;

}  // namespace sobolev
