// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counts what is taken from the heap by operator new, which Buffer and the standard containers call. For one
// file of a test program: it replaces the operators, unless the address sanitizer does.
#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define SOBOLEV_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#define SOBOLEV_COUNTS_ALLOCATIONS !__has_feature(address_sanitizer)
#else
#define SOBOLEV_COUNTS_ALLOCATIONS 1
#endif

namespace sobolev::test {
inline std::atomic<long> allocations{0};

/// How often memory was taken while f ran.
template <class F>
long allocations_of(F&& f) {
  const long before = allocations;
  f();
  return allocations - before;
}
}  // namespace sobolev::test

#if SOBOLEV_COUNTS_ALLOCATIONS
// GCC inlines them and then takes free for a mistake.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t bytes) {
  ++sobolev::test::allocations;
  if (void* p = std::malloc(bytes > 0 ? bytes : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  ++sobolev::test::allocations;
  const std::size_t a = std::size_t(alignment);
  if (void* p = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif
