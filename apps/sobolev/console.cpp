// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/console.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sobolev::app {
namespace {
int first_output_error = 0;

void note_output_error() {
  if (first_output_error == 0) first_output_error = errno != 0 ? errno : EIO;
}
}  // namespace

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one. Only for reading: a write to it is an error, as before.
    const int opened = ::open("/dev/null", O_RDONLY);
    if (opened > STDERR_FILENO) ::close(opened);
  }
}

void write_out(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) note_output_error();
}

void write_error(std::string_view text) {
  // What cannot be said there cannot be said anywhere.
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), stderr);
}

int output_error() {
  errno = 0;
  if (std::fflush(stdout) != 0) note_output_error();
  return first_output_error;
}

}  // namespace sobolev::app
