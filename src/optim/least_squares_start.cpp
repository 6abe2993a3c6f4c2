// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/least_squares_start.hpp"

#include <algorithm>
#include <cmath>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/profile.hpp"
#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/linalg/gemm.hpp"
#include "sobolev/linalg/vector.hpp"

namespace sobolev {
namespace {
constexpr std::size_t most_at_once = 8192;  // parameters: P² elements

template <class T>
View<T, 1> slice(T* from, std::size_t size) {
  return View<T, 1>(from, size);
}
template <class T, class E>
void copy(const E& executor, View<const T, 1> from, View<T, 1> to) {
  axpby<T>(executor, T(1), from, T(0), from, to);
}

/// −(G + λI)⁻¹ g; empty where G is no matrix of a least squares problem.
template <class T>
std::vector<T> damped_solution(const std::vector<T>& matrix, const std::vector<T>& right, double damping) {
  const std::size_t n = right.size();
  std::vector<double> g(matrix.begin(), matrix.end()), x(right.begin(), right.end());
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, g[i * n + i]);
  for (std::size_t i = 0; i < n; ++i) g[i * n + i] += damping * largest;
  const Cpu host(1);
  if (!(largest > 0) || !cholesky<double>(host, View<double, 2>(g.data(), n, n))) return {};
  for (double& v : x) v = -v;
  cholesky_solve<double>(host, View<const double, 2>(g.data(), n, n), View<double, 1>(x.data(), n));
  return {x.begin(), x.end()};
}

/// columns[j] = ∂r/∂θ_j of the parameters `which`; these are as before when it returns.
template <class T, class E>
void columns_of_jacobian(const E& executor, LeastSquares<T, E>& objective, View<T, 1> parameters,
                         View<const T, 1> before, const std::vector<std::size_t>& which, T* columns) {
  const std::size_t m = objective.size();
  auto other = zeros<T>(executor, m), step = zeros<T>(executor, 1);
  const T one = 1;
  upload<T, 1>(executor, View<const T, 1>(&one, 1), slice(step.data(), 1));
  for (std::size_t j = 0; j < which.size(); ++j) {
    const View<T, 1> theta = slice(parameters.data() + which[j], 1), ahead = slice(columns + j * m, m),
                     behind = slice(other.data(), m);
    const View<const T, 1> here(before.data() + which[j], 1);
    for (int sign : {1, -1}) {
      axpby<T>(executor, T(1), here, T(sign), slice(step.data(), 1), theta);
      objective.residuals(parameters, sign > 0 ? ahead : behind);
    }
    copy<T>(executor, here, theta);
    axpby<T>(executor, T(0.5), ahead, T(-0.5), behind, ahead);
  }
}

/// Whether the whole Jacobian costs less than its columns one by one, and its products have room.
bool takes_normal_equations(std::size_t columns, std::size_t parameters) {
  return parameters <= most_at_once && parameters <= 8 * columns;
}

/// G and g of the parameters `which`, of all of them.
template <class T, class E>
std::vector<T> step_of_all(const E& executor, LeastSquares<T, E>& objective, View<const T, 1> parameters,
                           const std::vector<std::size_t>& which, double damping) {
  const std::size_t n = which.size(), p = parameters.size();
  auto matrix = zeros<T>(executor, p * p), right = zeros<T>(executor, p);
  objective.normal_equations(parameters, View<T, 2>(matrix.data(), p, p), slice(right.data(), p));
  std::vector<T> all(p * p), all_right(p), g(n * n), b(n);
  download<T, 1>(executor, slice(matrix.data(), p * p), slice(all.data(), p * p));
  download<T, 1>(executor, slice(right.data(), p), slice(all_right.data(), p));
  for (std::size_t i = 0; i < n; ++i) {
    b[i] = all_right[which[i]];
    for (std::size_t j = 0; j < n; ++j) {
      const auto [low, high] = std::minmax(which[i], which[j]);
      g[i * n + j] = all[low * p + high];
    }
  }
  return damped_solution(g, b, damping);
}

/// δ of the minimum.
template <class T, class E>
std::vector<T> step_of_columns(const E& executor, LeastSquares<T, E>& objective, View<T, 1> parameters,
                               View<const T, 1> before, const std::vector<std::size_t>& which,
                               double damping) {
  const std::size_t n = which.size(), m = objective.size();
  auto columns = zeros<T>(executor, n * m), weighted = zeros<T>(executor, n * m), r = zeros<T>(executor, m),
       matrix = zeros<T>(executor, n * n), right = zeros<T>(executor, n);
  columns_of_jacobian<T, E>(executor, objective, parameters, before, which, columns.data());
  copy<T>(executor, slice(columns.data(), n * m), slice(weighted.data(), n * m));
  for (std::size_t j = 0; j < n; ++j) objective.weigh(slice(weighted.data() + j * m, m));
  objective.residuals(parameters, slice(r.data(), m));
  const View<const T, 2> wj(weighted.data(), n, m);
  gemm<T>(executor, T(1), wj, View<const T, 2>(columns.data(), n, m), T(0), View<T, 2>(matrix.data(), n, n),
          {false, true});
  gemm<T>(executor, T(1), wj, View<const T, 2>(r.data(), m, 1), T(0), View<T, 2>(right.data(), n, 1));
  std::vector<T> g(n * n), b(n);
  download<T, 1>(executor, slice(matrix.data(), n * n), slice(g.data(), n * n));
  download<T, 1>(executor, slice(right.data(), n), slice(b.data(), n));
  return damped_solution(g, b, damping);
}
}  // namespace

template <class T, class E>
bool least_squares_start(const E& executor, LeastSquares<T, E>& objective, View<T, 1> parameters,
                         const std::vector<std::size_t>& which, double damping) {
  require(parameters.size() == objective.parameters(), "least-squares start: another number of parameters");
  for (std::size_t i : which)
    require(i < parameters.size(), "least-squares start: a parameter that there is not");
  const profile::Range range(executor, "least-squares start");
  const double loss = objective.loss(parameters);
  if (which.empty() || objective.size() == 0 || !std::isfinite(loss)) return false;
  auto kept = zeros<T>(executor, parameters.size());
  const View<T, 1> before = slice(kept.data(), kept.size());
  copy<T>(executor, parameters, before);
  objective.hold(true);
  const std::vector<T> step =
      takes_normal_equations(which.size(), parameters.size())
          ? step_of_all<T, E>(executor, objective, parameters, which, damping)
          : step_of_columns<T, E>(executor, objective, parameters, before, which, damping);
  bool taken = false;
  if (!step.empty()) {
    std::vector<T> theta(parameters.size());
    download<T, 1>(executor, parameters, slice(theta.data(), theta.size()));
    for (std::size_t j = 0; j < which.size(); ++j) theta[which[j]] += step[j];
    upload<T, 1>(executor, View<const T, 1>(theta.data(), theta.size()), parameters);
    taken = objective.loss(parameters) < loss;
    if (!taken) copy<T>(executor, before, parameters);
  }
  objective.hold(false);
  return taken;
}

template bool least_squares_start<float, Cpu>(const Cpu&, LeastSquares<float, Cpu>&, View<float, 1>,
                                              const std::vector<std::size_t>&, double);
template bool least_squares_start<double, Cpu>(const Cpu&, LeastSquares<double, Cpu>&, View<double, 1>,
                                               const std::vector<std::size_t>&, double);
#if SOBOLEV_HAS_CUDA
template bool least_squares_start<float, Cuda>(const Cuda&, LeastSquares<float, Cuda>&, View<float, 1>,
                                               const std::vector<std::size_t>&, double);
template bool least_squares_start<double, Cuda>(const Cuda&, LeastSquares<double, Cuda>&, View<double, 1>,
                                                const std::vector<std::size_t>&, double);
#endif
}  // namespace sobolev
