// SPDX-License-Identifier: Apache-2.0
#include "sobolev/pinn/solve.hpp"

#include "solve_impl.hpp"

namespace sobolev {

Solution solve(const Cpu& cpu, const Problem& problem, const SolveOptions& options) {
  return detail::solve_on(cpu, cpu, problem, options);
}
Solution resume(const Cpu& cpu, Solution interrupted, const SolveOptions& options) {
  return detail::resume_on(cpu, cpu, std::move(interrupted), options);
}

}  // namespace sobolev
