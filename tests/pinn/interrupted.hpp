// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "sobolev/pinn/solve.hpp"

namespace sobolev::test {

/// A training that is interrupted after so many iterations, and goes on from its checkpoint.
inline Solution interrupted_at(long iteration, const Problem& problem, const std::filesystem::path& file) {
  std::atomic<bool> stop{false};
  SolveOptions options;
  options.stop = &stop;
  options.checkpoint = file;
  options.checkpoint_seconds = 1e9;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress& progress) { stop = stop || progress.row.iteration >= iteration; };
  EXPECT_FALSE(solve(Cpu(1), problem, options).finished());
  return resume(Cpu(1), Solution::load(file));
}

}  // namespace sobolev::test
