// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/cuda.hpp"
#include "sobolev/pinn/solve.hpp"
#include "solve_impl.hpp"

namespace sobolev {

Solution solve(const Cuda& cuda, const Problem& problem, const SolveOptions& options, const Cpu& host) {
  return detail::solve_on(host, cuda, problem, options);
}
Solution resume(const Cuda& cuda, Solution interrupted, const SolveOptions& options, const Cpu& host) {
  return detail::resume_on(host, cuda, std::move(interrupted), options);
}

}  // namespace sobolev
