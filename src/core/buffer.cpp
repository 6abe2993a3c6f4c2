// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/buffer.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <new>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace sobolev::detail {
namespace {
constexpr std::size_t huge_page = std::size_t(2) << 20;
constexpr std::size_t worth_huge_pages =
    8 * huge_page;  // below, the heap recycles memory that is mapped already

std::align_val_t alignment_of(std::size_t bytes) {
  return std::align_val_t{bytes >= worth_huge_pages ? huge_page : buffer_alignment};
}
}  // namespace

void* allocate_zeroed(std::size_t count, std::size_t element) {
  if (count == 0) return nullptr;
  const bool representable = count <= std::numeric_limits<std::size_t>::max() / element;
  const std::size_t bytes = count * element;
  void* p = representable ? ::operator new(bytes, alignment_of(bytes), std::nothrow) : nullptr;
  if (p == nullptr)
    throw OutOfMemory(
        fmt::format("out of memory: {} elements of {} bytes asked for; use fewer points or a smaller network",
                    count, element));
#ifdef __linux__
  // Matrices are walked by columns: 4 KiB pages would miss the TLB at each row. Only a hint.
  if (bytes >= worth_huge_pages) madvise(p, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
  std::memset(p, 0, bytes);
  return p;
}

void release(void* p, std::size_t count, std::size_t element) noexcept {
  if (p != nullptr) ::operator delete(p, alignment_of(count * element));
}

}  // namespace sobolev::detail
