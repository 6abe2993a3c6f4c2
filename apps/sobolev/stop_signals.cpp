// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/stop_signals.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>

namespace sobolev::app {
namespace {
constexpr long nanoseconds = 1'000'000'000;
constexpr long same_request = nanoseconds;  // signals within this time are one request

std::atomic<bool> requested{false};
std::atomic<int> caught{0};
std::atomic<long> asked_at{0};  // of the steady clock; 0: never
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<long>::is_always_lock_free);

extern "C" void request_stop(int signal, siginfo_t* info, void*) {
  // The kernel sends this one for our own write to a pipe that nobody reads; write() then fails as well.
  if (signal == SIGPIPE && info->si_pid == ::getpid()) return;
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  const long now = std::max(1l, time.tv_sec * nanoseconds + time.tv_nsec);
  long first = 0;
  if (asked_at.compare_exchange_strong(first, now)) {
    caught = signal;
    requested = true;
  } else if (now - first > same_request) {
    std::signal(signal, SIG_DFL);
    ::raise(signal);  // takes effect when this function returns
  }
}
}  // namespace

void catch_stop_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_sigaction = request_stop;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
}

const std::atomic<bool>& stop_requested() { return requested; }
int stop_signal() { return caught; }

}  // namespace sobolev::app
