// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text for stdout and stderr. A stream that is closed, full or gone must not end a training: nothing here
// throws; what could not be written on stdout is remembered for the exit code.
#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace sobolev::app {

/// Gives numbers 0 to 2 to something, so that no file that is opened later gets one of them and all that is
/// printed with it. Writing to a stream that was closed goes on failing.
void open_standard_streams();

void write_out(std::string_view text);
void write_error(std::string_view text);

template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void print_error(fmt::format_string<Args...> format, Args&&... args) {
  write_error(fmt::format(format, std::forward<Args>(args)...));
}

/// The errno of the first write to stdout that failed, 0 when all is written. Flushes.
int output_error();

}  // namespace sobolev::app
