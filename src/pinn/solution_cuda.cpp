// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/cuda.hpp"
#include "state.hpp"

namespace sobolev {

std::vector<std::vector<double>> Solution::evaluate(const Cuda& cuda, View<const double, 2> points,
                                                    const std::vector<Expr>& outputs, const Cpu& host) const {
  return detail::evaluate_expressions(host, detail::evaluators_on(host, cuda), state(), points, outputs);
}
std::vector<std::vector<double>> Solution::evaluate(const Cuda& cuda, View<const double, 2> points,
                                                    const std::vector<std::string>& outputs,
                                                    const Cpu& host) const {
  return evaluate(cuda, points, detail::named_outputs(state(), outputs), host);
}

}  // namespace sobolev
