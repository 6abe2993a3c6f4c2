// SPDX-License-Identifier: Apache-2.0
#include "src/data/shallow_water.hpp"

#include <algorithm>
#include <cmath>

namespace sobolev::detail {
namespace {
constexpr double courant = 0.4;  // of both directions together

using Cell = ShallowWater::Cell;

/// van Leer's mean of two differences, 0 where they disagree.
double limited(double a, double b) { return a * b > 0 ? 2 * a * b / (a + b) : 0; }

/// Of conserved quantities from h, the normal and the transverse velocity, by the speeds of Einfeldt's kind:
/// the shock's where the middle is deeper, else the wave's.
Cell hllc(const Cell& l, const Cell& r, double g) {
  const double cl = std::sqrt(g * l[0]), cr = std::sqrt(g * r[0]);
  const double root = 0.5 * (cl + cr) + 0.25 * (l[1] - r[1]), middle = root * root / g;
  const auto stretch = [&](double h) {
    return middle > h ? std::sqrt(0.5 * (middle + h) * middle) / h : 1.0;
  };
  const double sl = l[1] - cl * stretch(l[0]), sr = r[1] + cr * stretch(r[0]);
  const auto flux = [&](const Cell& s) {
    return Cell{s[0] * s[1], s[0] * s[1] * s[1] + 0.5 * g * s[0] * s[0], s[0] * s[1] * s[2]};
  };
  if (sl >= 0) return flux(l);
  if (sr <= 0) return flux(r);
  const Cell fl = flux(l), fr = flux(r);
  Cell out{};
  for (std::size_t k = 0; k < 2; ++k) {
    const double jump = k == 0 ? r[0] - l[0] : r[0] * r[1] - l[0] * l[1];
    out[k] = (sr * fl[k] - sl * fr[k] + sl * sr * jump) / (sr - sl);
  }
  out[2] = out[0] * (out[0] >= 0 ? l[2] : r[2]);  // what is across goes with the water
  return out;
}
}  // namespace

ShallowWater::ShallowWater(std::size_t cells, double width, double gravity)
    : cells_(cells),
      width_(width),
      gravity_(gravity),
      change_(cells * cells),
      stage_(cells * cells),
      line_(cells + 4),
      slope_(cells + 4),
      flux_(cells + 1) {}

void ShallowWater::add_line(const std::vector<Cell>& state, std::size_t first, std::size_t stride,
                            std::size_t normal) {
  const std::size_t across = 3 - normal;
  for (std::size_t i = 0; i < cells_; ++i) {
    const Cell& c = state[first + i * stride];
    line_[i + 2] = {c[0], c[normal] / c[0], c[across] / c[0]};
  }
  line_[0] = line_[1] = line_[2];
  line_[cells_ + 3] = line_[cells_ + 2] = line_[cells_ + 1];
  for (std::size_t i = 1; i < cells_ + 3; ++i)
    for (std::size_t k = 0; k < 3; ++k)
      slope_[i][k] = limited(line_[i][k] - line_[i - 1][k], line_[i + 1][k] - line_[i][k]);
  for (std::size_t i = 0; i <= cells_; ++i) {
    Cell l = line_[i + 1], r = line_[i + 2];
    for (std::size_t k = 0; k < 3; ++k) {
      l[k] += 0.5 * slope_[i + 1][k];
      r[k] -= 0.5 * slope_[i + 2][k];
    }
    flux_[i] = hllc(l, r, gravity_);
  }
  const double scale = double(cells_) / width_;
  for (std::size_t i = 0; i < cells_; ++i) {
    Cell& to = change_[first + i * stride];
    to[0] += scale * (flux_[i][0] - flux_[i + 1][0]);
    to[normal] += scale * (flux_[i][1] - flux_[i + 1][1]);
    to[across] += scale * (flux_[i][2] - flux_[i + 1][2]);
  }
}

void ShallowWater::find_change(const std::vector<Cell>& state) {
  std::fill(change_.begin(), change_.end(), Cell{});
  for (std::size_t i = 0; i < cells_; ++i) {
    add_line(state, i, cells_, 1);
    add_line(state, i * cells_, 1, 2);
  }
}

double ShallowWater::longest_step(const std::vector<Cell>& state) const {
  double fastest = 0;
  for (const Cell& c : state) {
    const double wave = std::sqrt(gravity_ * c[0]);
    fastest = std::max(fastest, (std::abs(c[1]) + std::abs(c[2])) / c[0] + 2 * wave);
  }
  return courant * width_ / double(cells_) / fastest;
}

bool ShallowWater::advance(std::vector<Cell>& state, double duration, const std::atomic<bool>* stop) {
  for (double left = duration; left > 0;) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return false;
    const double longest = longest_step(state);
    const double dt = left / std::ceil(left / longest);
    find_change(state);
    for (std::size_t i = 0; i < state.size(); ++i)
      for (std::size_t k = 0; k < 3; ++k) stage_[i][k] = state[i][k] + dt * change_[i][k];
    find_change(stage_);
    for (std::size_t i = 0; i < state.size(); ++i)
      for (std::size_t k = 0; k < 3; ++k)
        state[i][k] = 0.5 * (state[i][k] + stage_[i][k] + dt * change_[i][k]);
    left = left <= longest ? 0 : left - dt;
  }
  return true;
}

}  // namespace sobolev::detail
