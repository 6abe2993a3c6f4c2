// SPDX-License-Identifier: Apache-2.0
#include "src/data/black_box_multigrid.hpp"

#include <algorithm>
#include <cmath>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t coarsest_points = 5;  // of an axis: so few are solved at once

std::size_t coarse(std::size_t n) { return (n + 1) / 2; }

/// u ← u + (f − A u)/diag at the points of a row, in order or backwards.
template <bool five, bool backwards>
void relax_row(const NinePoint& a, const double* inverse, const double* f, double* u, std::size_t i) {
  const std::size_t row = a.at(i, 0), s = a.stride();
  const double *east = a.east.data(), *north = a.north.data(), *ne = a.north_east.data(),
               *nw = a.north_west.data();
  for (std::size_t step = 0; step < a.n1; ++step) {
    const std::size_t p = row + (backwards ? a.n1 - 1 - step : step);
    double sum = f[p] - north[p] * u[p + s] - north[p - s] * u[p - s];
    if constexpr (!five)
      sum -= ne[p] * u[p + s + 1] + ne[p - s - 1] * u[p - s - 1] + nw[p] * u[p + s - 1] +
             nw[p - s + 1] * u[p - s + 1];
    u[p] = inverse[p] * (sum - east[p] * u[p + 1] - east[p - 1] * u[p - 1]);
  }
}

template <bool backwards>
void relax(const NinePoint& a, const double* inverse, const double* f, double* u) {
  for (std::size_t step = 0; step < a.n0; ++step) {
    const std::size_t i = backwards ? a.n0 - 1 - step : step;
    if (a.five)
      relax_row<true, backwards>(a, inverse, f, u, i);
    else
      relax_row<false, backwards>(a, inverse, f, u, i);
  }
}
}  // namespace

NinePoint::NinePoint(std::size_t rows, std::size_t columns, bool five_point)
    : n0(rows), n1(columns), five(five_point) {
  for (auto* part : {&centre, &east, &north, &north_east, &north_west}) part->assign(size(), 0);
}

void NinePoint::multiply(const double* x, double* y) const {
  const std::size_t s = stride();
  for (std::size_t i = 0; i < n0; ++i)
    for (std::size_t p = at(i, 0); p < at(i, n1); ++p) {
      double sum = centre[p] * x[p] + east[p] * x[p + 1] + east[p - 1] * x[p - 1] + north[p] * x[p + s] +
                   north[p - s] * x[p - s];
      if (!five)
        sum += north_east[p] * x[p + s + 1] + north_east[p - s - 1] * x[p - s - 1] +
               north_west[p] * x[p + s - 1] + north_west[p - s + 1] * x[p - s + 1];
      y[p] = sum;
    }
}

BlackBoxMultigrid::BlackBoxMultigrid(std::size_t n0, std::size_t n1) {
  for (bool first = true;; first = false) {
    Level& level = levels_.emplace_back();
    level.a = NinePoint(n0, n1, first);
    level.inverse_diagonal.assign(level.a.size(), 0);
    level.residual.assign(level.a.size(), 0);
    if (!first) {
      level.u.assign(level.a.size(), 0);
      level.f.assign(level.a.size(), 0);
    }
    if (std::max(n0, n1) <= coarsest_points) break;
    level.weights.assign(level.a.size(), {});
    n0 = coarse(n0);
    n1 = coarse(n1);
  }
  const std::size_t n = n0 * n1;
  factor_.assign(n * n, 0);
}

void BlackBoxMultigrid::find_weights(Level& level) const {
  const NinePoint& a = level.a;
  const std::size_t s = a.stride();
  const double *c = a.centre.data(), *e = a.east.data(), *n = a.north.data(), *ne = a.north_east.data(),
               *nw = a.north_west.data();
  // On lines of coarse points what lies across is lumped onto the line.
  for (std::size_t i = 0; i < a.n0; ++i)
    for (std::size_t j = 0; j < a.n1; ++j) {
      const std::size_t p = a.at(i, j);
      auto& w = level.weights[p];
      w = {1, 0, 0, 0};
      if (i % 2 == 0 && j % 2 == 1) {
        const double line = c[p] + n[p] + n[p - s];
        w = {-(e[p - 1] + nw[p] + ne[p - s - 1]) / line, -(e[p] + ne[p] + nw[p - s + 1]) / line, 0, 0};
      } else if (i % 2 == 1 && j % 2 == 0) {
        const double line = c[p] + e[p] + e[p - 1];
        w = {-(n[p - s] + ne[p - s - 1] + nw[p - s + 1]) / line, 0, -(n[p] + ne[p] + nw[p]) / line, 0};
      }
    }
  // Between four the equation of the point itself, with its neighbours as they were just interpolated.
  for (std::size_t i = 1; i < a.n0; i += 2)
    for (std::size_t j = 1; j < a.n1; j += 2) {
      const std::size_t p = a.at(i, j);
      const auto &south = level.weights[p - s], &west = level.weights[p - 1];
      const auto &north = level.weights[p + s], &east = level.weights[p + 1];  // zero in the border
      const double an = n[p], as = n[p - s], ae = e[p], aw = e[p - 1];
      level.weights[p] = {-(ne[p - s - 1] + as * south[0] + aw * west[0]) / c[p],
                          -(nw[p - s + 1] + as * south[1] + ae * east[0]) / c[p],
                          -(nw[p] + an * north[0] + aw * west[2]) / c[p],
                          -(ne[p] + an * north[1] + ae * east[2]) / c[p]};
    }
}

void BlackBoxMultigrid::multiply_coarse(const Level& fine, NinePoint& coarse) {
  for (auto* part : {&coarse.centre, &coarse.east, &coarse.north, &coarse.north_east, &coarse.north_west})
    std::fill(part->begin(), part->end(), 0.0);
  const NinePoint& a = fine.a;
  // Entry (I, J) where J is I or one of the four neighbours that I keeps; the others come by symmetry.
  const auto add = [&](std::size_t i0, std::size_t i1, std::size_t j0, std::size_t j1, double v) {
    const std::size_t p = coarse.at(i0, i1);
    if (j0 == i0) {
      if (j1 == i1)
        coarse.centre[p] += v;
      else if (j1 == i1 + 1)
        coarse.east[p] += v;
    } else if (j0 == i0 + 1) {
      (j1 == i1 ? coarse.north : j1 == i1 + 1 ? coarse.north_east : coarse.north_west)[p] += v;
    }
  };
  const auto add_coupling = [&](std::size_t pi, std::size_t pj, std::size_t qi, std::size_t qj, double v) {
    if (v == 0) return;
    const auto &wp = fine.weights[a.at(pi, pj)], &wq = fine.weights[a.at(qi, qj)];
    const bool self = pi == qi && pj == qj;
    for (std::size_t k = 0; k < 4; ++k) {
      if (wp[k] == 0) continue;
      const std::size_t i0 = pi / 2 + k / 2, i1 = pj / 2 + k % 2;
      for (std::size_t m = 0; m < 4; ++m) {
        if (wq[m] == 0) continue;
        const std::size_t j0 = qi / 2 + m / 2, j1 = qj / 2 + m % 2;
        const double product = wp[k] * v * wq[m];
        add(i0, i1, j0, j1, product);
        if (!self) add(j0, j1, i0, i1, product);
      }
    }
  };
  for (std::size_t i = 0; i < a.n0; ++i)
    for (std::size_t j = 0; j < a.n1; ++j) {
      const std::size_t p = a.at(i, j);
      add_coupling(i, j, i, j, a.centre[p]);
      if (j + 1 < a.n1) add_coupling(i, j, i, j + 1, a.east[p]);
      if (i + 1 == a.n0) continue;
      add_coupling(i, j, i + 1, j, a.north[p]);
      if (a.five) continue;
      if (j + 1 < a.n1) add_coupling(i, j, i + 1, j + 1, a.north_east[p]);
      if (j > 0) add_coupling(i, j, i + 1, j - 1, a.north_west[p]);
    }
}

void BlackBoxMultigrid::factor_coarsest() {
  const NinePoint& a = levels_.back().a;
  const std::size_t n = a.n0 * a.n1;
  std::fill(factor_.begin(), factor_.end(), 0.0);
  for (std::size_t i = 0; i < a.n0; ++i)
    for (std::size_t j = 0; j < a.n1; ++j) {
      const std::size_t p = a.at(i, j), row = i * a.n1 + j;
      factor_[row * n + row] = a.centre[p];
      if (j + 1 < a.n1) factor_[(row + 1) * n + row] = a.east[p];
      if (i + 1 == a.n0) continue;
      factor_[(row + a.n1) * n + row] = a.north[p];
      if (j + 1 < a.n1) factor_[(row + a.n1 + 1) * n + row] = a.north_east[p];
      if (j > 0) factor_[(row + a.n1 - 1) * n + row] += a.north_west[p];
    }
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = j; i < n; ++i) {
      double sum = factor_[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= factor_[i * n + k] * factor_[j * n + k];
      if (i == j) ensure(sum > 0, "multigrid: the coarsest operator is not positive definite");
      factor_[i * n + j] = i == j ? std::sqrt(sum) : sum / factor_[j * n + j];
    }
}

void BlackBoxMultigrid::solve_coarsest(const double* f, double* u) const {
  const NinePoint& a = levels_.back().a;
  const std::size_t n = a.n0 * a.n1;
  std::array<double, coarsest_points * coarsest_points> x{};
  for (std::size_t i = 0; i < n; ++i) {
    double sum = f[a.at(i / a.n1, i % a.n1)];
    for (std::size_t k = 0; k < i; ++k) sum -= factor_[i * n + k] * x[k];
    x[i] = sum / factor_[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    double sum = x[i];
    for (std::size_t k = i + 1; k < n; ++k) sum -= factor_[k * n + i] * x[k];
    x[i] = sum / factor_[i * n + i];
    u[a.at(i / a.n1, i % a.n1)] = x[i];
  }
}

void BlackBoxMultigrid::prepare() {
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    Level& level = levels_[l];
    const NinePoint& a = level.a;
    for (std::size_t i = 0; i < a.n0; ++i)
      for (std::size_t p = a.at(i, 0); p < a.at(i, a.n1); ++p) level.inverse_diagonal[p] = 1 / a.centre[p];
    if (l + 1 == levels_.size()) break;
    find_weights(level);
    multiply_coarse(level, levels_[l + 1].a);
  }
  factor_coarsest();
}

void BlackBoxMultigrid::cycle(const double* r, double* z) { cycle(0, r, z); }

void BlackBoxMultigrid::cycle(std::size_t l, const double* f, double* u) {
  if (l + 1 == levels_.size()) return solve_coarsest(f, u);
  Level &fine = levels_[l], &below = levels_[l + 1];
  const NinePoint& a = fine.a;
  std::fill_n(u, a.size(), 0.0);
  relax<false>(a, fine.inverse_diagonal.data(), f, u);
  a.multiply(u, fine.residual.data());
  std::fill(below.f.begin(), below.f.end(), 0.0);
  const std::size_t s = below.a.stride();
  for (std::size_t i = 0; i < a.n0; ++i)
    for (std::size_t j = 0; j < a.n1; ++j) {
      const std::size_t p = a.at(i, j), q = below.a.at(i / 2, j / 2);
      const double r = f[p] - fine.residual[p];
      const auto& w = fine.weights[p];
      below.f[q] += w[0] * r;
      if (j % 2 == 1) below.f[q + 1] += w[1] * r;
      if (i % 2 == 1) below.f[q + s] += w[2] * r;
      if (i % 2 == 1 && j % 2 == 1) below.f[q + s + 1] += w[3] * r;
    }
  cycle(l + 1, below.f.data(), below.u.data());
  for (std::size_t i = 0; i < a.n0; ++i)
    for (std::size_t j = 0; j < a.n1; ++j) {
      const std::size_t p = a.at(i, j), q = below.a.at(i / 2, j / 2);
      const auto& w = fine.weights[p];
      double sum = w[0] * below.u[q];
      if (j % 2 == 1) sum += w[1] * below.u[q + 1];
      if (i % 2 == 1) sum += w[2] * below.u[q + s];
      if (i % 2 == 1 && j % 2 == 1) sum += w[3] * below.u[q + s + 1];
      u[p] += sum;
    }
  relax<true>(a, fine.inverse_diagonal.data(), f, u);
}

}  // namespace sobolev::detail
