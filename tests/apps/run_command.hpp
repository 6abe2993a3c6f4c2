// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sobolev::testing {

struct CommandResult {
  int exit_code = -1;  // 1000 + signal when a signal ended it
  std::string out, err;
};

struct CommandOptions {
  std::filesystem::path folder = ".";  // working directory
  int interrupt_signal = 0;            // sent once something stands on stderr and interrupt_when(it) holds
  std::function<bool(const std::string&)> interrupt_when = [](const std::string&) { return true; };
  int interrupt_times = 1;     // so many signals at once,
  double interrupt_again = 0;  // and another one so many seconds later
  std::vector<int> ignored;    // signals that are ignored when the command starts, as by nohup
  std::vector<int> closed;     // of the numbers 0 to 2
  bool readers_gone = false;   // nobody reads the pipes behind stdout and stderr
  rlim_t file_size_limit = RLIM_INFINITY;
  rlim_t stack_limit = RLIM_INFINITY;    // bytes
  std::string stdout_file, stderr_file;  // instead of a pipe
  unsigned short terminal_columns = 0;   // stderr is a terminal that wide
  std::vector<std::string> environment;  // NAME=value, added to this process's
  int seconds = 120;                     // then it is killed
};

/// Both ends of a terminal of that width, as of a pipe.
inline void open_terminal(int (&ends)[2], unsigned short columns) {
  ends[0] = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (ends[0] < 0 || ::grantpt(ends[0]) != 0 || ::unlockpt(ends[0]) != 0)
    throw std::runtime_error("no terminal to be had");
  ends[1] = ::open(::ptsname(ends[0]), O_RDWR | O_NOCTTY);
  const winsize size{24, columns, 0, 0};
  if (ends[1] < 0 || ::ioctl(ends[1], TIOCSWINSZ, &size) != 0)
    throw std::runtime_error("no terminal to be had");
}

/// Runs the sobolev command and collects what it prints.
inline CommandResult run_command(const std::vector<std::string>& arguments,
                                 const CommandOptions& options = {}) {
  int out[2], err[2];
  if (::pipe(out) != 0) throw std::runtime_error("pipe failed");
  if (options.terminal_columns > 0)
    open_terminal(err, options.terminal_columns);
  else if (::pipe(err) != 0)
    throw std::runtime_error("pipe failed");
  std::vector<std::string> words = {SOBOLEV_COMMAND};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    for (const std::string& variable : options.environment) ::putenv(const_cast<char*>(variable.c_str()));
    if (!options.stdout_file.empty()) out[1] = ::open(options.stdout_file.c_str(), O_WRONLY);
    if (!options.stderr_file.empty()) err[1] = ::open(options.stderr_file.c_str(), O_WRONLY);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_DFL);
    for (const int signal : options.ignored) std::signal(signal, SIG_IGN);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int descriptor : {out[0], out[1], err[0], err[1]}) ::close(descriptor);
    if (options.file_size_limit != RLIM_INFINITY) {
      const rlimit limit{options.file_size_limit, options.file_size_limit};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    for (const int descriptor : options.closed) ::close(descriptor);
    if (options.stack_limit != RLIM_INFINITY) {
      const rlimit limit{options.stack_limit, options.stack_limit};
      ::setrlimit(RLIMIT_STACK, &limit);
    }
    if (::chdir(options.folder.c_str()) == 0) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  CommandResult result;
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(options.seconds);
  pollfd sources[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  if (options.readers_gone)
    for (pollfd& source : sources) {
      ::close(source.fd);
      source.fd = -1;
    }
  bool interrupted = options.interrupt_signal == 0, again = options.interrupt_again > 0;
  Clock::time_point first_signal;
  while (sources[0].fd >= 0 || sources[1].fd >= 0) {
    if (Clock::now() > deadline) ::kill(child, SIGKILL);
    ::poll(sources, 2, 10);
    for (int k = 0; k < 2; ++k) {
      if (sources[k].fd < 0 || sources[k].revents == 0) continue;
      char buffer[4096];
      const ssize_t got = ::read(sources[k].fd, buffer, sizeof buffer);
      if (got > 0)
        (k == 0 ? result.out : result.err).append(buffer, static_cast<std::size_t>(got));
      else
        sources[k].fd = -1;
    }
    if (!interrupted && !result.err.empty() && options.interrupt_when(result.err)) {
      for (int i = 0; i < options.interrupt_times; ++i) {
        ::kill(child, options.interrupt_signal);
        ::usleep(1000);  // signals that wait together count as one
      }
      interrupted = true;
      first_signal = Clock::now();
    } else if (interrupted && again &&
               std::chrono::duration<double>(Clock::now() - first_signal).count() > options.interrupt_again) {
      ::kill(child, options.interrupt_signal);
      again = false;
    }
  }
  if (!options.readers_gone) {
    ::close(out[0]);
    ::close(err[0]);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  return result;
}

}  // namespace sobolev::testing
