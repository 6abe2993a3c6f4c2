// SPDX-License-Identifier: Apache-2.0
#include "src/core/profile.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string_view>

#include "sobolev/core/profile.hpp"

namespace sobolev::profile {
namespace {
using Clock = std::chrono::steady_clock;

struct Sum {
  long calls = 0;
  double seconds = 0, self = 0;
};
struct Open {
  const char* name;
  Clock::time_point begin;
  double inside = 0;  // seconds of the ranges in it
};
struct State {
  bool on = false;
  bool nvtx = [] {
    const char* wish = std::getenv("SOBOLEV_NVTX");
    return wish != nullptr && std::string_view(wish) == "1";
  }();
  std::map<std::string_view, Sum> sums;
  std::vector<Open> open;
};
State& state() {
  static State only;
  return only;
}
}  // namespace

namespace detail {
const DeviceHooks* hooks = nullptr;
}

void enable(bool on) { state().on = on; }
bool enabled() { return state().on; }
void enable_nvtx(bool on) { state().nvtx = on; }
void reset() { state().sums.clear(); }

std::vector<Entry> entries() {
  std::vector<Entry> list;
  for (const auto& [name, sum] : state().sums)
    list.push_back({std::string(name), sum.calls, sum.seconds, sum.self});
  std::sort(list.begin(), list.end(),
            [](const Entry& a, const Entry& b) { return a.self_seconds > b.self_seconds; });
  return list;
}

Range::Range(const Cpu&, const char* name) {
  if (state().on || state().nvtx) begin(name);
}
Range::Range(const Cuda& cuda, const char* name) {
  if (!state().on && !state().nvtx) return;
  if (state().on && detail::hooks != nullptr) {
    cuda_ = &cuda;
    detail::hooks->wait(cuda);
  }
  begin(name);
}
Range::~Range() {
  if (timed_ || marked_) end();
}

void Range::begin(const char* name) {
  marked_ = state().nvtx && detail::hooks != nullptr;
  if (marked_) detail::hooks->push(name);
  timed_ = state().on;
  if (timed_) state().open.push_back({name, Clock::now()});
}

void Range::end() {
  if (timed_) {
    try {
      if (cuda_ != nullptr) detail::hooks->wait(*cuda_);
    } catch (...) {  // thrown again by the next call that waits
    }
    const Open range = state().open.back();
    state().open.pop_back();
    const double seconds = std::chrono::duration<double>(Clock::now() - range.begin).count();
    Sum& sum = state().sums[range.name];
    ++sum.calls;
    sum.seconds += seconds;
    sum.self += seconds - range.inside;
    if (!state().open.empty()) state().open.back().inside += seconds;
  }
  if (marked_) detail::hooks->pop();
}

}  // namespace sobolev::profile
