// SPDX-License-Identifier: Apache-2.0
#pragma once
// Run-time choice of the instruction set. Each file of kernels/ is compiled once per instruction set
// into namespace sobolev::SOBOLEV_TARGET. A function f declared with SOBOLEV_DECLARE_TARGETS exists in
// each of them, and SOBOLEV_CALL(f<T>, args...) runs the best one the processor has. Code that
// dispatches stands under `#if SOBOLEV_DISPATCHER` (true in one of the compilations) or in src/.
//
// Code inside the target namespaces must not call inline functions of other namespaces that stay out
// of line (std containers, View indexing): the linker might keep the copy made for a newer processor.

namespace sobolev {
enum class SimdTarget { baseline, avx2, avx512 };
SimdTarget simd_target();
}  // namespace sobolev

#if defined(__x86_64__)
#define SOBOLEV_DECLARE_TARGETS(...)   \
  namespace sobolev::target_baseline { \
  __VA_ARGS__                          \
  }                                    \
  namespace sobolev::target_avx2 {     \
  __VA_ARGS__                          \
  }                                    \
  namespace sobolev::target_avx512 {   \
  __VA_ARGS__                          \
  }
#define SOBOLEV_CALL(function, ...)                          \
  (::sobolev::simd_target() == ::sobolev::SimdTarget::avx512 \
       ? ::sobolev::target_avx512::function(__VA_ARGS__)     \
   : ::sobolev::simd_target() == ::sobolev::SimdTarget::avx2 \
       ? ::sobolev::target_avx2::function(__VA_ARGS__)       \
       : ::sobolev::target_baseline::function(__VA_ARGS__))
#else
#define SOBOLEV_DECLARE_TARGETS(...)   \
  namespace sobolev::target_baseline { \
  __VA_ARGS__                          \
  }
#define SOBOLEV_CALL(function, ...) ::sobolev::target_baseline::function(__VA_ARGS__)
#endif
