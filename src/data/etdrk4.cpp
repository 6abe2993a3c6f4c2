// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "sobolev/data/reference.hpp"
#include "sobolev/expression/tape.hpp"
#include "src/data/exponential_integrator.hpp"
#include "src/data/spectral_grid.hpp"
#include "src/problem/evolution.hpp"

namespace sobolev {
namespace {

using detail::Complex;
using detail::SpectralGrid;

constexpr double wanted_change = 1e-9;
constexpr double largest_work = 4e8;  // grid points × steps of one run
constexpr double unusable = 1e-3;     // a larger change is no reference
constexpr double infinite = std::numeric_limits<double>::infinity();

/// Per unknown, row-major over the problem's axes; empty: not finite.
using Values = std::vector<std::vector<double>>;

/// What does not depend on the resolution.
struct Setting {
  const Cpu& cpu;
  const Problem& problem;
  const std::vector<std::vector<double>>& axes;
  detail::Evolution form;
  bool linear = false;  // N = 0
  std::array<double, 2> low{0, 0},
      length{1, 1};  // of the space, second axis last; one dimension uses the last
  std::array<std::vector<double>, 2> space{std::vector<double>{0}, std::vector<double>{0}};  // output axes
  std::vector<double> times{};
  int most_modes = 0;                        // per space coordinate
  std::vector<std::vector<double>> start{};  // per unknown: the initial data on the output axes
  std::vector<Complex> start_modes{};        // of all unknowns, on the finest grid
  bool plane() const { return form.space.size() == 2; }
  SpectralGrid grid(int modes) const { return SpectralGrid({plane() ? modes : 1, modes}, low, length); }
  std::size_t axis_of(std::size_t space_index) const { return 2 - form.space.size() + space_index; }
};

Setting make_setting(const Cpu& cpu, const Problem& problem, const std::vector<std::vector<double>>& axes) {
  Setting s{cpu, problem, axes, detail::read_evolution(problem)};
  require(axes.size() == problem.coordinates.size(),
          fmt::format("etdrk4: {} axes for {} coordinates", axes.size(), problem.coordinates.size()));
  s.linear =
      std::all_of(s.form.nonlinear.begin(), s.form.nonlinear.end(), [](Expr e) { return e.is_constant(0); });
  for (std::size_t k = 0; k < s.form.space.size(); ++k) {
    const auto& c = problem.coordinates[std::size_t(s.form.space[k])];
    s.low[s.axis_of(k)] = c.low;
    s.length[s.axis_of(k)] = c.high - c.low;
    s.space[s.axis_of(k)] = axes[std::size_t(s.form.space[k])];
  }
  s.times = axes[std::size_t(s.form.time)];
  const auto& t = problem.coordinates[std::size_t(s.form.time)];
  for (std::size_t i = 0; i < s.times.size(); ++i)
    require(s.times[i] >= (i == 0 ? t.low : s.times[i - 1]) && std::isfinite(s.times[i]),
            fmt::format("etdrk4: the times must ascend from {}; number {} is {}", t.low, i, s.times[i]));
  s.most_modes = s.plane() ? 1024 : 1 << 15;
  return s;
}

/// Values of f(x) on the points of a grid, or of two lists of coordinates.
std::vector<double> values_of(const Setting& s, const std::vector<Expr>& f, const std::vector<double>& x0,
                              const std::vector<double>& x1) {
  std::vector<Expr> inputs;
  for (int k : s.form.space) inputs.push_back(coordinate(s.problem.coordinates[std::size_t(k)].name));
  const Tape tape = compile(f, inputs);
  const std::size_t n = x0.size() * x1.size();
  std::vector<double> x(inputs.size() * n), y(f.size() * n);
  for (std::size_t i = 0; i < n; ++i) {
    x[(inputs.size() - 1) * n + i] = x1[i % x1.size()];
    if (inputs.size() == 2) x[i] = x0[i / x1.size()];
  }
  tape_forward<double>(s.cpu, tape, View<const double, 2>(x.data(), inputs.size(), n),
                       View<double, 2>(y.data(), f.size(), n));
  for (double v : y) require(std::isfinite(v), "etdrk4: the initial data is not finite everywhere");
  return y;
}

std::vector<double> grid_axis(const SpectralGrid& grid, int axis) {
  std::vector<double> x;
  for (int i = 0; i < grid.points(axis); ++i) x.push_back(grid.coordinate(axis, i));
  return x;
}

/// Copies the modes that both grids have: to += weight · from.
void add_modes(const SpectralGrid& from_grid, const Complex* from, const SpectralGrid& to_grid, Complex* to,
               double weight) {
  const int k0_most = std::min(from_grid.highest(0), to_grid.highest(0));
  const int k1_most = std::min(from_grid.highest(1), to_grid.highest(1));
  for (int k0 = -k0_most; k0 <= k0_most; ++k0)
    for (int k1 = 0; k1 <= k1_most; ++k1) to[to_grid.index(k0, k1)] += weight * from[from_grid.index(k0, k1)];
}

/// The Fourier coefficients of the initial data. They come from grids so fine that a corner hardly matters,
/// and the h² of what is left (Euler–Maclaurin) is extrapolated away.
void find_start(Setting& s) {
  const SpectralGrid grid = s.grid(s.most_modes);
  s.start_modes.assign(s.form.initial.size() * grid.modes(), Complex{});
  const int finest = (s.plane() ? 2 : 4) * s.most_modes;
  for (const int m : {finest / 2, finest}) {
    SpectralGrid fine = s.grid(m);
    const auto values = values_of(s, s.form.initial, grid_axis(fine, 0), grid_axis(fine, 1));
    std::vector<Complex> v(fine.modes());
    for (std::size_t j = 0; j < s.form.initial.size(); ++j) {
      fine.to_modes(values.data() + j * fine.points(), v.data());
      add_modes(fine, v.data(), grid, s.start_modes.data() + j * grid.modes(),
                m == finest ? 4.0 / 3 : -1.0 / 3);
    }
  }
  for (Expr f : s.form.initial) s.start.push_back(values_of(s, {f}, s.space[0], s.space[1]));
}

/// N on the grid through the tape, by derivatives of the modes.
class Nonlinear {
 public:
  Nonlinear(const Setting& s, SpectralGrid& grid) : s_(s), grid_(grid), small_(1) {
    const auto& f = s.form.nonlinear;
    fields_ = fields_of(f);
    std::vector<Expr> inputs = fields_;
    for (Expr leaf : fields_) {
      int order = 0;
      const auto orders = detail::space_orders(s.problem, s.form, leaf, order);
      multipliers_.push_back(s.plane() ? grid.derivative(orders[0], orders[1])
                                       : grid.derivative(0, orders[0]));
      unknown_.push_back(
          std::size_t(std::find(s.problem.unknowns.begin(), s.problem.unknowns.end(), leaf->name) -
                      s.problem.unknowns.begin()));
    }
    for (int k : s.form.space) inputs.push_back(coordinate(s.problem.coordinates[std::size_t(k)].name));
    inputs.push_back(coordinate(s.problem.coordinates[std::size_t(s.form.time)].name));
    tape_ = compile(f, inputs);
    const std::size_t n = grid.points();
    x_ = Buffer<double>(inputs.size() * n);
    y_ = Buffer<double>(f.size() * n);
    const auto x0 = grid_axis(grid, 0), x1 = grid_axis(grid, 1);
    const std::size_t last = fields_.size() + s.form.space.size() - 1;
    for (std::size_t i = 0; i < n; ++i) {
      x_[last * n + i] = x1[i % x1.size()];
      if (s.plane()) x_[(last - 1) * n + i] = x0[i / x1.size()];
    }
  }

  void operator()(const Complex* v, double t, Complex* out) {
    const std::size_t n = grid_.points(), rows = fields_.size() + s_.form.space.size() + 1;
    for (std::size_t i = 0; i < fields_.size(); ++i)
      grid_.to_points(v + unknown_[i] * grid_.modes(), multipliers_[i].data(), x_.data() + i * n);
    std::fill_n(x_.data() + (rows - 1) * n, n, t);
    tape_forward<double>(n >= 16384 ? s_.cpu : small_, tape_, View<const double, 2>(x_.data(), rows, n),
                         View<double, 2>(y_.data(), s_.form.nonlinear.size(), n));
    for (std::size_t j = 0; j < s_.form.nonlinear.size(); ++j)
      grid_.to_modes(y_.data() + j * n, out + j * grid_.modes());
  }

 private:
  const Setting& s_;
  SpectralGrid& grid_;
  Cpu small_;  // threads cost more than they give on a small grid
  Tape tape_;
  std::vector<Expr> fields_;
  std::vector<std::vector<Complex>> multipliers_;
  std::vector<std::size_t> unknown_;
  Buffer<double> x_, y_;
};

std::vector<Complex> linear_part(const Setting& s, const SpectralGrid& grid) {
  std::vector<Complex> out;
  for (const auto& terms : s.form.linear) {
    std::vector<Complex> sum(grid.modes());
    for (const auto& term : terms) {
      const auto d =
          s.plane() ? grid.derivative(term.orders[0], term.orders[1]) : grid.derivative(0, term.orders[0]);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term.coefficient * d[i];
    }
    out.insert(out.end(), sum.begin(), sum.end());
  }
  return out;
}

/// Puts the plane of one time into the row-major array over the problem's axes.
void store(const Setting& s, std::size_t time_index, const double* plane, std::vector<double>& out) {
  const std::size_t nt = s.times.size(), n0 = s.space[0].size(), n1 = s.space[1].size();
  for (std::size_t i = 0; i < n0; ++i)
    for (std::size_t j = 0; j < n1; ++j) {
      std::size_t at = 0;  // the time axis may stand first, in the middle or last
      if (s.form.time == 0)
        at = (time_index * n0 + i) * n1 + j;
      else if (s.form.time == int(s.form.space.size()))
        at = (i * n1 + j) * nt + time_index;
      else
        at = (i * nt + time_index) * n1 + j;
      out[at] = plane[i * n1 + j];
    }
}

/// The solution with `modes` grid points per space coordinate and steps of at most `step`.
Values run(const Setting& s, int modes, double step) {
  SpectralGrid grid = s.grid(modes);
  const SpectralGrid start_grid = s.grid(s.most_modes);
  std::vector<Complex> v(s.form.initial.size() * grid.modes());
  for (std::size_t j = 0; j < s.form.initial.size(); ++j)
    add_modes(start_grid, s.start_modes.data() + j * start_grid.modes(), grid, v.data() + j * grid.modes(),
              1);
  std::optional<Nonlinear> nonlinear;
  detail::ExponentialIntegrator::Nonlinear rate;
  if (!s.linear) {
    nonlinear.emplace(s, grid);
    rate = [&](const Complex* in, double t, Complex* out) { (*nonlinear)(in, t, out); };
  }
  detail::ExponentialIntegrator integrator(linear_part(s, grid), rate);

  const std::size_t unknowns = s.form.initial.size(), plane = s.space[0].size() * s.space[1].size();
  Values out(unknowns, std::vector<double>(s.times.size() * plane));
  std::vector<double> values(plane);
  const double start = s.problem.coordinates[std::size_t(s.form.time)].low;
  double now = start;
  for (std::size_t i = 0; i < s.times.size(); ++i) {
    const double span = s.times[i] - now;
    if (span > 0) {
      const long steps = std::max(1L, long(std::ceil(span / step - 1e-9)));
      integrator.advance(v, now, span / double(steps), steps);
      now = s.times[i];
    }
    for (std::size_t j = 0; j < unknowns; ++j) {
      if (now == start) {  // the data itself is known, without its Fourier series
        store(s, i, s.start[j].data(), out[j]);
        continue;
      }
      grid.interpolate(v.data() + j * grid.modes(), s.space[0], s.space[1], values.data());
      for (double x : values)
        if (!std::isfinite(x)) return {};
      store(s, i, values.data(), out[j]);
    }
  }
  return out;
}

double relative_change(const Values& a, const Values& b) {
  if (a.empty() || b.empty()) return infinite;
  double worst = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    double change = 0, norm = 0;
    for (std::size_t i = 0; i < a[j].size(); ++i) {
      const double d = a[j][i] - b[j][i];
      change += d * d;
      norm += b[j][i] * b[j][i];
    }
    worst = std::max(worst, norm > 0 ? std::sqrt(change / norm) : std::sqrt(change));
  }
  return std::isfinite(worst) ? worst : infinite;
}

/// The linear part must not amplify ever shorter waves ever more.
void require_well_posed(const Setting& s, double duration) {
  const auto growth = [&](int modes) {
    double most = 0;
    for (const Complex& l : linear_part(s, s.grid(modes))) most = std::max(most, l.real());
    return most * duration;
  };
  const double coarse = growth(64), fine = growth(128);
  require(
      !(fine > 1.5 * coarse && fine > 10),
      "etdrk4: the linear part amplifies short waves without bound: the problem has no solution forward in "
      "time; check the signs of the highest derivatives");
}

}  // namespace

Reference solve_etdrk4(const Cpu& cpu, const Problem& problem, const std::vector<std::vector<double>>& axes) {
  Setting s = make_setting(cpu, problem, axes);
  const double low = problem.coordinates[std::size_t(s.form.time)].low;
  const double duration = s.times.empty() ? 0 : s.times.back() - low;
  require_well_posed(s, duration);
  find_start(s);

  // Modes are doubled and steps halved, whichever changes the values more, until neither matters.
  int modes = s.plane() ? 32 : 64;
  double step = duration > 0 ? duration / 100 : 1;
  const auto affordable = [&](int m, double h) {
    const double points = s.plane() ? double(m) * m : double(m);
    return m <= s.most_modes && points * (s.linear ? 1 : duration / h) <= largest_work;
  };
  Values base = run(s, modes, step), finer, shorter, best;
  double bound = infinite;
  std::string source;
  while (true) {
    if (finer.empty() && affordable(2 * modes, step)) finer = run(s, 2 * modes, step);
    if (shorter.empty() && affordable(modes, step / 2)) shorter = s.linear ? base : run(s, modes, step / 2);
    const double in_modes = relative_change(base, finer), in_steps = relative_change(base, shorter);
    if (in_modes + in_steps < bound) {
      // Both refinements at once, but for the product of the two changes.
      bound = in_modes + in_steps;
      best = finer;
      for (std::size_t j = 0; j < best.size(); ++j)
        for (std::size_t i = 0; i < best[j].size(); ++i) best[j][i] += shorter[j][i] - base[j][i];
      source = s.linear ? fmt::format("etdrk4 ({} modes, linear: exact in time)", 2 * modes)
                        : fmt::format("etdrk4 ({} modes, dt {:.3g})", 2 * modes, step / 2);
    }
    if (bound <= wanted_change) break;
    if (in_modes >= in_steps && in_modes < infinite) {
      if (!affordable(4 * modes, step)) break;
      modes *= 2;
      base = std::exchange(finer, {});
      shorter.clear();
    } else {
      const bool hopeless = base.empty() && step < 1e-4 * duration;
      if (hopeless || !affordable(modes, step / 4)) break;
      step /= 2;
      base = std::exchange(shorter, {});
      finer.clear();
    }
  }
  require(
      bound < unusable,
      fmt::format("etdrk4: the values do not settle: with {} modes and steps of {:.2g} they still change by "
                  "{:.2g}; the solution may steepen or blow up before t = {}: use an earlier end, an exact "
                  "expression or a file",
                  modes, step, bound, low + duration));

  Reference out;
  out.axes = axes;
  for (std::size_t j = 0; j < best.size(); ++j) out.values[problem.unknowns[j]] = std::move(best[j]);
  out.error_bound = bound;
  out.source = source;
  return out;
}

}  // namespace sobolev
