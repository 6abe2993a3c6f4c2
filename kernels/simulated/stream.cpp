// SPDX-License-Identifier: Apache-2.0
#include "kernels/simulated/stream.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "kernels/simulated/memory.hpp"

namespace sobolev::simulated {
namespace {
std::set<Stream*>& streams() {
  static std::set<Stream*> all;
  return all;
}
}  // namespace

Stream::Stream() { streams().insert(this); }
Stream::~Stream() { streams().erase(this); }

void Stream::add(std::function<void()> work) {
  if (recording_) {
    recorded_.push_back(std::move(work));
    return;
  }
  waiting_.push_back(std::move(work));
  ++added_;
}

void Stream::begin_recording() {
  recording_ = true;
  recorded_.clear();
}
Graph Stream::end_recording() {
  recording_ = false;
  return std::move(recorded_);
}

void Stream::run(std::uint64_t until) {
  if (done_ < until && !error_) {
    const DeviceAccess access;
    while (done_ < until && !error_) {
      const std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      ++done_;
      try {
        work();
      } catch (...) {
        error_ = std::current_exception();
      }
    }
  }
  if (!error_) return;
  waiting_.clear();
  done_ = added_;
  std::rethrow_exception(error_);
}

bool any_recording() {
  return std::any_of(streams().begin(), streams().end(), [](const Stream* s) { return s->recording(); });
}

void run_all_streams() noexcept {
  for (Stream* stream : streams()) {
    try {
      stream->run_all();
    } catch (...) {  // thrown again to whoever waits for this stream
    }
  }
}

}  // namespace sobolev::simulated
