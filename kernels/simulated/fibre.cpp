// SPDX-License-Identifier: Apache-2.0
#include "kernels/simulated/fibre.hpp"

#include <sys/mman.h>

#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define SOBOLEV_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SOBOLEV_ADDRESS_SANITIZER 1
#endif
#endif
#if SOBOLEV_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

namespace sobolev::simulated {
namespace {
constexpr std::size_t page = 4096, stack_size = std::size_t(256) << 10;  // touched only as far as it is used

void* map_stack() {
  void* p = mmap(nullptr, page + stack_size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  mprotect(p, page, PROT_NONE);
  return p;
}
struct KeepStack {  // it belongs to the Fibre
  void deallocate(boost::context::stack_context&) noexcept {}
};
void leaving([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
             [[maybe_unused]] std::size_t size) {
#if SOBOLEV_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}
void back_on([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** from,
             [[maybe_unused]] std::size_t* size) {
#if SOBOLEV_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(fake_stack, from, size);
#endif
}
}  // namespace

Fibre::Fibre() : stack_(map_stack()) {
  boost::context::stack_context context;
  context.size = stack_size;
  context.sp = static_cast<char*>(stack_) + page + stack_size;
  new (&fibre_) boost::context::fiber(
      std::allocator_arg, boost::context::preallocated(context.sp, context.size, context), KeepStack{},
      [this](boost::context::fiber&& caller) -> boost::context::fiber {
        caller_ = std::move(caller);
        back_on(nullptr, &caller_bottom_, &caller_size_);
        loop();
      });
}

/// The stack goes without being left: nothing on it owns anything once no body runs, and the frames of the
/// way out are none that the sanitizer still knows.
Fibre::~Fibre() {
  abandon();
  munmap(stack_, page + stack_size);
}

void Fibre::start(const std::function<void()>& body) {
  body_ = &body;
  error_ = nullptr;
}

void Fibre::resume() {
  void* fake_stack = nullptr;
  leaving(&fake_stack, static_cast<char*>(stack_) + page, stack_size);
  fibre_ = std::move(fibre_).resume();
  back_on(fake_stack, nullptr, nullptr);
}

void Fibre::suspend() {
  leaving(&fake_stack_, caller_bottom_, caller_size_);
  caller_ = std::move(caller_).resume();
  back_on(fake_stack_, &caller_bottom_, &caller_size_);
  if (abandoned_) throw Abandoned{};
}

void Fibre::abandon() {
  if (finished()) return;
  abandoned_ = true;
  resume();
  abandoned_ = false;
}

void Fibre::loop() {
  for (;;) {
    if (body_ != nullptr && !abandoned_) {
      try {
        (*body_)();
      } catch (const Abandoned&) {
      } catch (...) {
        error_ = std::current_exception();
      }
    }
    body_ = nullptr;
    leaving(&fake_stack_, caller_bottom_, caller_size_);
    caller_ = std::move(caller_).resume();
    back_on(fake_stack_, &caller_bottom_, &caller_size_);
  }
}

}  // namespace sobolev::simulated
