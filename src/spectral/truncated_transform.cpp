// SPDX-License-Identifier: Apache-2.0
#include "sobolev/spectral/truncated_transform.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/spectral/truncated_transform_plan.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {

std::vector<ModeRange> lowest_modes(const std::vector<std::size_t>& modes) {
  std::vector<ModeRange> out;
  for (std::size_t a = 0; a < modes.size(); ++a) {
    require(modes[a] >= 1 && modes[a] <= (std::size_t(1) << 20),
            [&] { return fmt::format("{} modes on axis {}; there must be from 1 to 2^20", modes[a], a); });
    const int m = int(modes[a]);
    out.push_back({a + 1 == modes.size() ? 0 : -m, m - 1});
  }
  return out;
}

namespace detail {

AxisShape axis_shape(std::size_t points, const ModeRange& modes, bool last) {
  AxisShape axis;
  axis.points = points;
  axis.low = modes.low;
  axis.high = modes.high;
  axis.halves = points % 2 == 0;
  axis.folded = axis.halves ? points / 4 + 1 : points / 2 + 1;
  axis.resolved_low = modes.low;
  axis.resolved_high = modes.high;
  while (axis.resolved_low <= axis.resolved_high && !resolved(axis.resolved_low, points, last))
    ++axis.resolved_low;
  while (axis.resolved_high >= axis.resolved_low && !resolved(axis.resolved_high, points, last))
    --axis.resolved_high;
  if (axis.resolved_low <= axis.resolved_high)
    axis.magnitudes = std::size_t(std::max(std::abs(axis.resolved_low), std::abs(axis.resolved_high))) + 1;
  return axis;
}

namespace {
/// 2π (jk mod n)/n, exactly reduced.
double angle(std::size_t j, std::size_t k, std::size_t n) {
  return 2 * std::numbers::pi * double(j * k % n) / double(n);
}

}  // namespace

AxisWaves folded_waves(const AxisShape& axis, const std::vector<double>& weight, bool shared) {
  AxisWaves waves;
  const std::size_t n = axis.points;
  for (std::size_t k = 0; k < axis.magnitudes; ++k)
    for (std::size_t j = 0; j < axis.folded; ++j) {
      double share = weight[k];
      if (shared && j == 0) share /= 2;
      if (shared && axis.halves && 4 * j == n) share /= 2;
      waves.cosine.push_back(share * std::cos(angle(j, k, n)));
      waves.sine.push_back(share * std::sin(angle(j, k, n)));
    }
  return waves;
}

AxisWaves full_waves(const AxisShape& axis, const std::vector<double>& weight) {
  AxisWaves waves;
  for (std::size_t k = 0; k < axis.magnitudes; ++k)
    for (std::size_t j = 0; j < axis.points; ++j) {
      waves.cosine.push_back(weight[k] * std::cos(angle(j, k, axis.points)));
      waves.sine.push_back(weight[k] * std::sin(angle(j, k, axis.points)));
    }
  return waves;
}

std::vector<double> real_weights(const AxisShape& axis, bool doubled, double factor) {
  std::vector<double> weight(axis.magnitudes, factor);
  for (std::size_t k = 1; doubled && k < axis.magnitudes; ++k)
    if (2 * k != axis.points) weight[k] *= 2;
  return weight;
}

template <class T, class E>
TransformPlan<T, E>::TransformPlan(const E& e, const std::vector<std::size_t>& g,
                                   const std::vector<ModeRange>& m)
    : executor(e), grid(g), modes(m), tables(zeros<T>(e, 0)), workspace(zeros<T>(e, 0)) {
  require(!g.empty() && g.size() <= 3,
          [&] { return fmt::format("TruncatedTransform: a grid of {} axes; it has from 1 to 3", g.size()); });
  require(g.size() == m.size(), [&] {
    return fmt::format("TruncatedTransform: the grid has {} axes and modes are given for {}", g.size(),
                       m.size());
  });
  for (std::size_t a = 0; a < g.size(); ++a) {
    const bool last = a + 1 == g.size();
    require(g[a] >= 1 && g[a] <= (std::size_t(1) << 30),
            [&] { return fmt::format("TruncatedTransform: axis {} has {} points", a, g[a]); });
    require(m[a].low <= m[a].high && (!last || m[a].low >= 0), [&] {
      return fmt::format("TruncatedTransform: frequencies {} … {} on axis {}; there must be some{}", m[a].low,
                         m[a].high, a, last ? ", and the last axis, of a real field, has none below 0" : "");
    });
    axes.push_back(axis_shape(g[a], m[a], last));
    points *= g[a];
    mode_count *= m[a].count();
  }
  std::size_t inner = 1, outer = points;
  for (std::size_t i = g.size(); i-- > 0; inner *= axes[i].modes()) {
    outer /= g[i];
    stages.push_back({i, outer, inner, i + 1 == g.size()});
    if (i > 0) stage_size = std::max(stage_size, 2 * outer * axes[i].modes() * inner);
  }
  std::vector<T> all;
  const auto add = [&](std::size_t a, const std::vector<double>& weight, bool to_modes) {
    constexpr std::size_t line = 64 / sizeof(T);
    all.resize((all.size() + line - 1) / line * line);
    const std::size_t at = all.size();
    const std::vector<T> packed = pack_axis_table<T>(e, axes[a], weight, to_modes);
    all.insert(all.end(), packed.begin(), packed.end());
    return at;
  };
  for (std::size_t a = 0; a < g.size(); ++a) {
    if (a + 1 < g.size()) {
      const std::vector<double> ones(axes[a].magnitudes, 1.0);
      const std::size_t down = add(a, ones, true), up = add(a, ones, false);
      for (const Transform t : {Transform::analyse, Transform::synthesise_adjoint, Transform::synthesise,
                                Transform::analyse_adjoint})
        table_at[std::size_t(t)].push_back(to_modes(t) ? down : up);
    } else {
      const double mean = 1 / double(points);
      const auto last = [&](Transform t, bool doubled, double factor) {
        table_at[std::size_t(t)].push_back(add(a, real_weights(axes[a], doubled, factor), to_modes(t)));
      };
      last(Transform::analyse, false, mean);
      last(Transform::synthesise_adjoint, true, 1);
      last(Transform::synthesise, true, 1);
      last(Transform::analyse_adjoint, false, mean);
    }
  }
  tables = zeros<T>(e, all.size());
  if (!all.empty())
    upload<T, 1>(e, View<const T, 1>(all.data(), all.size()), View<T, 1>(tables.data(), all.size()));
}

}  // namespace detail

namespace {
template <class T, class E>
void check(const detail::TransformPlan<T, E>& plan, const Extents<3>& x, const Extents<4>& v) {
  require(x[0] == v[0] && x[1] == plan.points && v[1] == plan.mode_count && v[2] == 2 && x[2] == v[3], [&] {
    return fmt::format(
        "TruncatedTransform: fields [{}] and coefficients [{}]; they must be [B, {}, C] and [B, {}, 2, C]",
        fmt::join(x, ", "), fmt::join(v, ", "), plan.points, plan.mode_count);
  });
}
}  // namespace

template <class T, class E>
TruncatedTransform<T, E>::TruncatedTransform(const E& executor, const std::vector<std::size_t>& grid,
                                             const std::vector<ModeRange>& modes)
    : plan_(std::make_unique<detail::TransformPlan<T, E>>(executor, grid, modes)) {}
template <class T, class E>
TruncatedTransform<T, E>::~TruncatedTransform() = default;
template <class T, class E>
TruncatedTransform<T, E>::TruncatedTransform(TruncatedTransform&&) noexcept = default;
template <class T, class E>
TruncatedTransform<T, E>& TruncatedTransform<T, E>::operator=(TruncatedTransform&&) noexcept = default;

template <class T, class E>
const std::vector<std::size_t>& TruncatedTransform<T, E>::grid() const {
  return plan_->grid;
}
template <class T, class E>
const std::vector<ModeRange>& TruncatedTransform<T, E>::modes() const {
  return plan_->modes;
}
template <class T, class E>
std::size_t TruncatedTransform<T, E>::points() const {
  return plan_->points;
}
template <class T, class E>
std::size_t TruncatedTransform<T, E>::mode_count() const {
  return plan_->mode_count;
}

template <class T, class E>
void TruncatedTransform<T, E>::analyse(View<const T, 3> x, View<T, 4> v) {
  check(*plan_, x.shape(), v.shape());
  detail::transform_to_modes<T>(plan_->executor, *plan_, detail::Transform::analyse, x, v);
}
template <class T, class E>
void TruncatedTransform<T, E>::synthesise(View<const T, 4> v, View<T, 3> x, bool add) {
  check(*plan_, x.shape(), v.shape());
  detail::transform_to_points<T>(plan_->executor, *plan_, detail::Transform::synthesise, v, x, add);
}
template <class T, class E>
void TruncatedTransform<T, E>::analyse_adjoint(View<const T, 4> v_bar, View<T, 3> x_bar, bool add) {
  check(*plan_, x_bar.shape(), v_bar.shape());
  detail::transform_to_points<T>(plan_->executor, *plan_, detail::Transform::analyse_adjoint, v_bar, x_bar,
                                 add);
}
template <class T, class E>
void TruncatedTransform<T, E>::synthesise_adjoint(View<const T, 3> x_bar, View<T, 4> v_bar) {
  check(*plan_, x_bar.shape(), v_bar.shape());
  detail::transform_to_modes<T>(plan_->executor, *plan_, detail::Transform::synthesise_adjoint, x_bar, v_bar);
}

template class TruncatedTransform<float>;
template class TruncatedTransform<double>;
#if SOBOLEV_HAS_CUDA
template class TruncatedTransform<float, Cuda>;
template class TruncatedTransform<double, Cuda>;
#endif

}  // namespace sobolev
