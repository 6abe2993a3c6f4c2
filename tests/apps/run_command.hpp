// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fcntl.h>
#include <poll.h>
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
  int interrupt_signal = 0;            // sent once something stands on stderr and interrupt_when() holds
  std::function<bool()> interrupt_when = [] { return true; };
  rlim_t file_size_limit = RLIM_INFINITY;
  rlim_t stack_limit = RLIM_INFINITY;    // bytes
  std::string stdout_file;               // instead of a pipe
  std::vector<std::string> environment;  // NAME=value, added to this process's
  int seconds = 120;                     // then it is killed
};

/// Runs the sobolev command and collects what it prints.
inline CommandResult run_command(const std::vector<std::string>& arguments,
                                 const CommandOptions& options = {}) {
  int out[2], err[2];
  if (::pipe(out) != 0 || ::pipe(err) != 0) throw std::runtime_error("pipe failed");
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
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int descriptor : {out[0], out[1], err[0], err[1]}) ::close(descriptor);
    if (options.file_size_limit != RLIM_INFINITY) {
      const rlimit limit{options.file_size_limit, options.file_size_limit};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
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
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  pollfd sources[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  bool interrupted = options.interrupt_signal == 0;
  while (sources[0].fd >= 0 || sources[1].fd >= 0) {
    if (std::chrono::steady_clock::now() > deadline) ::kill(child, SIGKILL);
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
    if (!interrupted && !result.err.empty() && options.interrupt_when()) {
      ::kill(child, options.interrupt_signal);
      interrupted = true;
    }
  }
  ::close(out[0]);
  ::close(err[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  return result;
}

}  // namespace sobolev::testing
