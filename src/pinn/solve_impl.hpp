// SPDX-License-Identifier: Apache-2.0
#pragma once
// solve and resume on either executor; `host` does what is not training.
#include <utility>

#include "run.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev::detail {

template <class E>
Solution solve_on(const Cpu& host, const E& executor, const Problem& problem, const SolveOptions& options) {
  const auto start = Clock::now();
  Solution solution;
  Solution::State& state = solution.state();
  problem.validate();
  set_problem(state, problem);
  state.problem.source = source_of(problem);
  state.cpu = host;
  if (state.problem.reference.given()) {
    const profile::Range range(host, "reference solution");
    state.reference = make_reference(host, state.problem);
  }
  state.setup_seconds = since(start);
  Run<E>(host, executor, solution, options).all_windows();
  return solution;
}

template <class E>
Solution resume_on(const Cpu& host, const E& executor, Solution interrupted, const SolveOptions& options) {
  Solution::State& state = interrupted.state();
  if (state.parameters.empty())
    throw ArgumentError("resume: the solution is empty, there is nothing to go on with; load a checkpoint");
  state.cpu = host;
  if (state.problem.reference.given() && !state.reference)
    state.reference = make_reference(host, state.problem);
  if (state.finished) return interrupted;
  Run<E>(host, executor, interrupted, options).all_windows();
  return interrupted;
}

}  // namespace sobolev::detail
