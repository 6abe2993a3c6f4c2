// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/profile.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev {

/// Work that is done over and over: on a device recorded at its second time and launched from then on.
template <class E>
class Repeated;

template <>
class Repeated<Cpu> {
 public:
  template <class F>
  void run(const Cpu&, F&& work) {
    work();
  }
  /// The work is another one from here on.
  void forget() {}
};

#if SOBOLEV_HAS_CUDA
template <>
class Repeated<Cuda> {
 public:
  template <class F>
  void run(const Cuda& cuda, F&& work) {
    // The first time it may take memory; a graph has no operations that a profile could tell apart.
    if (!known_ || profile::enabled()) {
      known_ = true;
      return work();
    }
    if (!graph_) graph_.emplace(cuda, work);
    graph_->launch();
  }
  void forget() {
    known_ = false;
    graph_.reset();
  }

 private:
  bool known_ = false;
  std::optional<CudaGraph> graph_;
};
#endif

}  // namespace sobolev
