// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/darcy_solver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sobolev/core/error.hpp"
#include "src/data/black_box_multigrid.hpp"

namespace sobolev {
namespace {
constexpr std::size_t most_points = 16384;
constexpr int most_iterations = 200;

std::size_t unknowns(std::size_t points, GridPoints where) {
  require(points >= 3 && points <= most_points,
          fmt::format("darcy: {} points along an axis; give from 3 to {}", points, most_points));
  return where == GridPoints::cells ? points : points - 2;
}
}  // namespace

struct DarcySolver::State {
  State(std::size_t s, GridPoints where, FaceMean mean)
      : points(s),
        n(unknowns(s, where)),
        at(where),
        face_mean(mean),
        multigrid(n, n),
        x(multigrid.finest().size()),
        r(x.size()),
        z(x.size()),
        p(x.size()),
        product(x.size()) {}

  double face(double a, double b) const {
    return face_mean == FaceMean::arithmetic ? 0.5 * (a + b) : 2 * a * b / (a + b);
  }
  /// What a field has at unknown (i, j).
  double value(View<const double, 2> a, std::size_t i, std::size_t j) const {
    return at == GridPoints::cells ? a(i, j) : a(i + 1, j + 1);
  }
  void assemble(View<const double, 2> a);
  int iterate(double tolerance);

  std::size_t points, n;
  GridPoints at;
  FaceMean face_mean;
  detail::BlackBoxMultigrid multigrid;
  std::vector<double> x, r, z, p, product;  // with a border
};

void DarcySolver::State::assemble(View<const double, 2> a) {
  detail::NinePoint& m = multigrid.finest();
  std::fill(m.centre.begin(), m.centre.end(), 0.0);
  const auto join = [&](std::vector<double>& coupling, std::size_t p, std::size_t q, double t) {
    coupling[p] = -t;
    m.centre[p] += t;
    m.centre[q] += t;
  };
  // Half a cell to the boundary, or a node on it.
  const auto edge = [&](double inside, double outside) {
    return at == GridPoints::cells ? 2 * inside : face(inside, outside);
  };
  const std::size_t shift = at == GridPoints::cells ? 0 : 1, last = n - 1;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const std::size_t p = m.at(i, j), i0 = i + shift, j0 = j + shift;
      const double here = a(i0, j0);
      if (j < last) join(m.east, p, m.at(i, j + 1), face(here, a(i0, j0 + 1)));
      if (i < last) join(m.north, p, m.at(i + 1, j), face(here, a(i0 + 1, j0)));
      if (j == 0) m.centre[p] += edge(here, a(i0, j0 - shift));
      if (j == last) m.centre[p] += edge(here, a(i0, j0 + shift));
      if (i == 0) m.centre[p] += edge(here, a(i0 - shift, j0));
      if (i == last) m.centre[p] += edge(here, a(i0 + shift, j0));
    }
  multigrid.prepare();
}

/// Preconditioned conjugate gradients from x = 0; r holds the right-hand side.
int DarcySolver::State::iterate(double tolerance) {
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  };
  const double wanted = tolerance * std::sqrt(dot(r, r));
  if (wanted == 0) return 0;
  double before = 0;
  for (int iteration = 1; iteration <= most_iterations; ++iteration) {
    multigrid.cycle(r.data(), z.data());
    const double now = dot(r, z), beta = iteration == 1 ? 0 : now / before;
    before = now;
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = z[i] + beta * p[i];
    multigrid.finest().multiply(p.data(), product.data());
    const double alpha = now / dot(p, product);
    double left = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      x[i] += alpha * p[i];
      r[i] -= alpha * product[i];
      left += r[i] * r[i];
    }
    if (std::sqrt(left) <= wanted) return iteration;
  }
  throw Error(fmt::format(
      "darcy: {} iterations on {} × {} points do not reach the tolerance {:.1e}; ask for a larger one",
      most_iterations, points, points, tolerance));
}

DarcySolver::DarcySolver(std::size_t points, GridPoints where, FaceMean mean)
    : state_(std::make_unique<State>(points, where, mean)) {}
DarcySolver::~DarcySolver() = default;
DarcySolver::DarcySolver(DarcySolver&&) noexcept = default;

int DarcySolver::solve(View<const double, 2> a, View<const double, 2> f, View<double, 2> u,
                       double tolerance) {
  State& s = *state_;
  constexpr double least = 1e-14, most = 0.1;
  require(tolerance >= least && tolerance <= most,
          [&] { return fmt::format("darcy: tolerance {}; give from {} to {}", tolerance, least, most); });
  const Extents<2> shape{s.points, s.points};
  require(a.shape() == shape && f.shape() == shape && u.shape() == shape, [&] {
    return fmt::format("darcy: coefficient, source and solution must be of {} × {} points", s.points,
                       s.points);
  });
  for (std::size_t i = 0; i < a.size(); ++i)
    require(a.data()[i] > 0 && std::isfinite(a.data()[i]) && std::isfinite(f.data()[i]), [&] {
      return fmt::format(
          "darcy: at point ({}, {}) the coefficient is {} and the source {}; both must be finite, "
          "the coefficient positive",
          i / s.points, i % s.points, a.data()[i], f.data()[i]);
    });
  s.assemble(a);
  const bool cells = s.at == GridPoints::cells;
  const double h = 1 / (cells ? double(s.points) : double(s.points - 1));
  const detail::NinePoint& m = s.multigrid.finest();
  std::fill(s.x.begin(), s.x.end(), 0.0);
  std::fill(s.p.begin(), s.p.end(), 0.0);
  for (std::size_t i = 0; i < s.n; ++i)
    for (std::size_t j = 0; j < s.n; ++j) s.r[m.at(i, j)] = h * h * s.value(f, i, j);
  const int iterations = s.iterate(tolerance);
  std::fill(u.begin(), u.end(), 0.0);
  for (std::size_t i = 0; i < s.n; ++i)
    for (std::size_t j = 0; j < s.n; ++j) (cells ? u(i, j) : u(i + 1, j + 1)) = s.x[m.at(i, j)];
  return iterations;
}

std::size_t DarcySolver::memory(std::size_t points) {
  // Five arrays of the operator, five of the iteration, 6 of a level; a third more for the coarse levels.
  constexpr std::size_t numbers = 22;
  return numbers * sizeof(double) * points * points;
}

}  // namespace sobolev
