// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>

namespace sobolev::app {

/// From here on SIGINT, SIGTERM, SIGHUP and SIGPIPE ask for a clean stop, unless they were ignored before
/// (nohup). More of them within a second are the same request again: `timeout` sends two, a terminal that
/// closes several. A later one ends the program at once. A write to a closed pipe is no request: it fails.
void catch_stop_signals();

/// True once a stop was asked for.
const std::atomic<bool>& stop_requested();
/// The signal that asked, or 0.
int stop_signal();

}  // namespace sobolev::app
