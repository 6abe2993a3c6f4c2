// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/context/fiber.hpp>
#include <cstddef>
#include <exception>
#include <functional>

namespace sobolev::simulated {

/// One thread of the simulated device: a stack of its own on which a body runs until it suspends itself.
/// The stack ends at a page that nothing may touch, and serves one body after another.
class Fibre {
 public:
  Fibre();
  ~Fibre();
  Fibre(const Fibre&) = delete;

  /// The next resume() starts `body` from its beginning. It must outlive its run.
  void start(const std::function<void()>& body);
  /// Runs until suspend() or the end of the body.
  void resume();
  /// Called on the fibre itself: back to whoever resumed it.
  void suspend();
  /// Unwinds a body that is suspended in the middle.
  void abandon();

  bool finished() const { return body_ == nullptr; }
  /// What the body threw, if it did.
  std::exception_ptr error() const { return error_; }

 private:
  struct Abandoned {};
  [[noreturn]] void loop();

  void* stack_;
  union {
    boost::context::fiber fibre_;  // never destroyed: see ~Fibre
  };
  boost::context::fiber caller_;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr error_;
  bool abandoned_ = false;
  // Of the address sanitizer, which must know which stack is in use.
  void* fake_stack_ = nullptr;
  const void* caller_bottom_ = nullptr;
  std::size_t caller_size_ = 0;
};

}  // namespace sobolev::simulated
