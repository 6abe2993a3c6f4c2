// SPDX-License-Identifier: Apache-2.0
#pragma once
// Streams of the simulated device: what is put into one runs when something waits for it, not before, so that
// a host that forgets to wait sees old values. Errors of kernels are thrown by whatever waits.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <vector>

namespace sobolev::simulated {

/// Work recorded from a stream, to be added to one again.
using Graph = std::vector<std::function<void()>>;

class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  void add(std::function<void()> work);
  /// Runs what is in it, up to and including work number `until` (counted from 1). Throws what the work
  /// threw, and again at each later call: as on a real device, a stream that has failed does not recover.
  void run(std::uint64_t until);
  void run_all() { run(added_); }
  std::uint64_t added() const { return added_; }
  /// From here on work is recorded instead of added, until end_recording().
  void begin_recording();
  Graph end_recording();
  bool recording() const { return recording_; }

 private:
  bool recording_ = false;
  Graph recorded_;
  std::deque<std::function<void()>> waiting_;
  std::uint64_t added_ = 0, done_ = 0;
  std::exception_ptr error_;
};

/// Whether any stream is recording: memory can not be allocated then.
bool any_recording();

/// Runs all streams; their errors stay with them.
void run_all_streams() noexcept;

/// A place in a stream.
struct Event {
  Stream* stream = nullptr;
  std::uint64_t position = 0;
  std::chrono::steady_clock::time_point time;
};

}  // namespace sobolev::simulated
