// SPDX-License-Identifier: Apache-2.0
#include "kernels/simulated/memory.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "kernels/simulated/block.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev::simulated {
namespace {
constexpr std::size_t page = 4096, alignment = 16;
constexpr unsigned char fill = 0xff;

struct Allocation {
  std::byte* mapping;  // a page, then `pages` bytes, then a page
  std::size_t pages, bytes;
};

struct Memory {
  std::recursive_mutex mutex;
  std::map<std::uintptr_t, Allocation> allocations;  // by their first byte
  std::size_t size = std::size_t(8) << 30, used = 0;
  int accesses = 0;
};
Memory& memory() {
  static Memory m;
  return m;
}

void protect(const Allocation& a, int protection) { mprotect(a.mapping + page, a.pages, protection); }

std::string sentence(const void* p) {
  Memory& m = memory();
  const auto at = std::uintptr_t(p);
  for (const auto& [begin, a] : m.allocations) {
    const auto mapping = std::uintptr_t(a.mapping);
    if (at < mapping || at >= mapping + a.pages + 2 * page) continue;
    if (at < begin)
      return fmt::format("{} bytes before an allocation of {} bytes of device memory", begin - at, a.bytes);
    if (at >= begin + a.bytes)
      return fmt::format("byte {} behind the end of an allocation of {} bytes of device memory",
                         at - begin - a.bytes, a.bytes);
    return fmt::format("byte {} of an allocation of {} bytes of device memory", at - begin, a.bytes);
  }
  return "no memory of the device";
}

struct sigaction previous_action;

void on_fault(int signal, siginfo_t* info, void* context) {
  const std::string place = thread::describe();
  const bool ours = !place.empty() || std::strcmp(locate(info->si_addr), "no memory of the device") != 0;
  if (ours) {
    const std::string text =
        place.empty()
            ? fmt::format("sobolev: the host touched {} at {}; copy it with download() first\n",
                          locate(info->si_addr), info->si_addr)
            : fmt::format("sobolev: {} touched {} at {}\n", place, locate(info->si_addr), info->si_addr);
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
    sigaction(signal, &previous_action, nullptr);
    abort();
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr)
    return previous_action.sa_sigaction(signal, info, context);
  sigaction(signal, &previous_action, nullptr);  // the fault comes again and takes its course
}
}  // namespace

void watch_faults() {
  static const bool once = [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;  // the stack itself may have run over
    sigaction(SIGSEGV, &action, &previous_action);
    return true;
  }();
  (void)once;
}

void* allocate(std::size_t bytes) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  if (bytes > memory_free()) return nullptr;
  watch_faults();
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment,
                    pages = (rounded + page - 1) / page * page;
  void* p = mmap(nullptr, pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  const Allocation a{static_cast<std::byte*>(p), pages, bytes};
  protect(a, PROT_READ | PROT_WRITE);
  std::memset(a.mapping + page, fill, pages);
  if (m.accesses == 0) protect(a, PROT_NONE);
  std::byte* begin = a.mapping + page + pages - rounded;
  m.allocations.emplace(std::uintptr_t(begin), a);
  m.used += bytes;
  return begin;
}

bool release(void* p) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  const auto found = m.allocations.find(std::uintptr_t(p));
  if (found == m.allocations.end()) return false;
  const Allocation a = found->second;
  protect(a, PROT_READ);
  const auto* end = a.mapping + page + a.pages;
  for (const auto* q = static_cast<const std::byte*>(p) + a.bytes; q < end; ++q)
    if (*q != std::byte(fill)) {
      fmt::print(stderr,
                 "sobolev: a kernel wrote behind the end of an allocation of {} bytes of device memory\n",
                 a.bytes);
      std::abort();
    }
  munmap(a.mapping, a.pages + 2 * page);
  m.used -= a.bytes;
  m.allocations.erase(found);
  return true;
}

bool on_device(const void* p, std::size_t bytes) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  auto next = m.allocations.upper_bound(std::uintptr_t(p));
  if (next == m.allocations.begin()) return false;
  const auto& [begin, a] = *--next;
  return std::uintptr_t(p) + bytes <= begin + a.bytes;
}

const char* locate(const void* p) {
  static thread_local std::string text;
  text = sentence(p);
  return text.c_str();
}

std::size_t memory_size() { return memory().size; }
std::size_t memory_free() {
  const Memory& m = memory();
  return m.size > m.used ? m.size - m.used : 0;
}
void set_memory_size(std::size_t bytes) { memory().size = bytes; }

DeviceAccess::DeviceAccess() {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  if (m.accesses++ == 0)
    for (const auto& [begin, a] : m.allocations) protect(a, PROT_READ | PROT_WRITE);
}
DeviceAccess::~DeviceAccess() {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  if (--m.accesses == 0)
    for (const auto& [begin, a] : m.allocations) protect(a, PROT_NONE);
}

}  // namespace sobolev::simulated
