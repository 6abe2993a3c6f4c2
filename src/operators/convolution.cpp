// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/convolution.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/operators/convolution_plan.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {
namespace detail {
namespace {
/// The point that stands for point i of −n < i < 2 n − 1, −1 for a zero. Of n = 1, reflection is replication.
long continued(long i, long n, Boundary boundary) {
  if (i >= 0 && i < n) return i;
  switch (boundary) {
    case Boundary::zero: return -1;
    case Boundary::periodic: return ((i % n) + n) % n;
    case Boundary::reflect: {
      if (n == 1) return 0;
      const long period = 2 * n - 2, at = ((i % period) + period) % period;
      return std::min(at, period - at);
    }
    case Boundary::replicate: return i < 0 ? 0 : n - 1;
  }
  return -1;
}
long floor_div(long a, long b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

struct Axis {
  long n, m, w, s, p;  // points of x and y, taps, stride, padding
  Boundary boundary;
};

/// What each point of y reads.
AxisTaps taps_of(const Axis& a, bool transposed) {
  AxisTaps out{std::size_t(a.m)};
  for (long q = 0; q < a.m; ++q)
    for (long k = 0; k < a.w; ++k) {
      if (transposed && (q + a.p - k) % a.s != 0) continue;
      const long i = transposed ? floor_div(q + a.p - k, a.s) : a.s * q + k - a.p;
      const long point = continued(i, a.n, a.boundary);
      if (point >= 0) out[std::size_t(q)].push_back({std::size_t(k), std::size_t(point)});
    }
  return out;
}
AxisTaps turned(const AxisTaps& taps, std::size_t points) {
  AxisTaps out{points};
  for (std::size_t q = 0; q < taps.size(); ++q)
    for (const AxisTap& t : taps[q]) out[t.point].push_back({t.tap, q});
  return out;
}

/// Entries of s interleaved phases of which each is a sum of entries side by side: J = s i + r, taps k with
/// k ≡ r + p (mod s) of entry i + (r + p − k)/s, moved by `before` so that it is not negative.
void interleave(const Axis& a, long p, RowRule& rule, long& before) {
  before = 0;
  for (long r = 0; r < a.s; ++r)
    for (long k = 0; k < a.w; ++k)
      if ((r + p - k) % a.s == 0) before = std::max(before, (k - r - p) / a.s);
  rule.phases = std::size_t(a.s);
  for (long r = 0; r < a.s; ++r) {
    rule.taps.emplace_back();
    for (long k = 0; k < a.w; ++k)
      if ((r + p - k) % a.s == 0)
        rule.taps.back().push_back({std::size_t(k), 0, std::size_t((r + p - k) / a.s + before)});
  }
}
/// Every s-th entry: taps k of entry s i + k, which is entry i + k / s of phase k % s.
void stride(const Axis& a, RowRule& rule) {
  rule.phases = 1;
  rule.taps.emplace_back();
  for (long k = 0; k < a.w; ++k)
    rule.taps.back().push_back({std::size_t(k), std::size_t(k % a.s), std::size_t(k / a.s)});
}

/// Fills in what follows from phases and taps; point(J) is what entry J of the rows that are read stands for.
template <class F>
void complete(RowRule& rule, long read_phases, const F& point) {
  for (const auto& taps : rule.taps)
    for (const RowRule::Tap& t : taps) rule.reach = std::max(rule.reach, t.shift);
  const std::size_t entries = rule.entries() + rule.reach;
  for (long f = 0; f < read_phases; ++f) {
    rule.read.emplace_back();
    for (std::size_t t = 0; t < entries; ++t)
      rule.read.back().push_back(int(point(read_phases * long(t) + f)));
  }
}

std::vector<int> image_of(const RowRule& rule) {
  std::vector<int> image;
  for (std::size_t r = 0; r < rule.phases; ++r)
    for (std::size_t t = 0; t < rule.entries(); ++t) {
      const long point = long(rule.phases * t + r) - long(rule.offset);
      image.push_back(t < rule.count[r] && point >= 0 && point < long(rule.points) ? int(point) : -1);
    }
  return image;
}

RowRule forward_row(const Axis& a, bool transposed) {
  RowRule rule;
  rule.points = std::size_t(a.m);
  if (transposed) {
    long before = 0;
    interleave(a, a.p, rule, before);
    for (long r = 0; r < a.s; ++r) rule.count.push_back(std::size_t((a.m - r + a.s - 1) / a.s));
    complete(rule, 1, [&](long j) { return continued(j - before, a.n, a.boundary); });
  } else {
    stride(a, rule);
    rule.count.push_back(std::size_t(a.m));
    complete(rule, a.s, [&](long j) { return continued(j - a.p, a.n, a.boundary); });
  }
  rule.image = image_of(rule);
  return rule;
}

/// Of x continued beyond its ends; what is computed there is folded onto the points that stand for it.
RowRule adjoint_row(const Axis& a, bool transposed) {
  RowRule rule;
  rule.points = std::size_t(a.n);
  long end = 0, offset = 0;  // entries are computed, of which entry `offset` is point 0
  const auto image = [&](long q) { return q >= 0 && q < a.m ? q : -1; };
  if (transposed) {
    const RowRule forward = forward_row(a, true);
    long before = 0;
    RowRule unused;
    interleave(a, a.p, unused, before);
    offset = before;
    end = std::max(a.n + before, long(forward.read[0].size()));
    stride(a, rule);
    rule.count.push_back(std::size_t(end));
    complete(rule, a.s, [&](long j) { return image(j - a.s * before - a.p); });
  } else {
    long before = 0;
    interleave(a, 0, rule, before);
    offset = a.p;
    end = std::max(a.n + a.p, a.s * (a.m - 1) + a.w);
    for (long r = 0; r < a.s; ++r) rule.count.push_back(std::size_t((end - r + a.s - 1) / a.s));
    complete(rule, 1, [&](long j) { return image(j - before); });
  }
  rule.offset = std::size_t(offset);
  rule.image = image_of(rule);
  for (long j = 0; j < end; ++j) {
    const long i = j - offset, point = continued(i, a.n, a.boundary);
    if (i >= 0 && i < a.n) continue;
    if (point >= 0)
      rule.folds.push_back({std::size_t(j) % rule.phases, std::size_t(j) / rule.phases, std::size_t(point)});
  }
  return rule;
}

std::size_t row_count(const std::vector<AxisTaps>& outer) {
  std::size_t n = 1;
  for (const AxisTaps& axis : outer) n *= axis.size();
  return n;
}

/// Rows first … last − 1 and what they read. `width`: taps of an axis; read_points: of the outer axes.
Strip strip_of(const Gather& g, std::size_t first, std::size_t last, std::size_t width,
               const std::vector<std::size_t>& read_points) {
  Strip strip{first, last, {}, {}};
  for (std::size_t q = first; q < last; ++q) {
    std::vector<Strip::RowTap> taps{{0, 0}};  // place: the row itself for now
    std::size_t rest = row_count(g.outer), at = q;
    for (std::size_t a = 0; a < g.outer.size(); ++a) {
      rest /= g.outer[a].size();
      const std::vector<AxisTap>& own = g.outer[a][at / rest];
      at %= rest;
      std::vector<Strip::RowTap> longer;
      for (const Strip::RowTap& t : taps)
        for (const AxisTap& more : own)
          longer.push_back({t.outer_tap * width + more.tap, t.place * read_points[a] + more.point});
      taps = std::move(longer);
    }
    for (Strip::RowTap& t : taps) {
      const auto found = std::find(strip.read.begin(), strip.read.end(), t.place);
      const std::size_t place = std::size_t(found - strip.read.begin());
      if (found == strip.read.end()) strip.read.push_back(t.place);
      t.place = place;
    }
    strip.taps.push_back(std::move(taps));
  }
  return strip;
}

/// [tap][copy] of each point, for kernels that take a point at a time.
std::size_t append_table(const AxisTaps& taps, std::size_t width, std::vector<int>& table) {
  std::size_t copies = 1;
  for (const auto& list : taps)
    for (std::size_t k = 0; k < width; ++k)
      copies = std::max(copies, std::size_t(std::count_if(list.begin(), list.end(),
                                                          [&](const AxisTap& t) { return t.tap == k; })));
  for (const auto& list : taps) {
    const std::size_t at = table.size();
    table.resize(at + width * copies, -1);
    for (const AxisTap& t : list) {
      std::size_t i = at + t.tap * copies;
      while (table[i] >= 0) ++i;
      table[i] = int(t.point);
    }
  }
  return copies;
}

Gather gather_of(const std::vector<AxisTaps>& taps, const RowRule& row, const std::vector<std::size_t>& read,
                 std::size_t width, std::size_t channels, std::size_t size) {
  Gather g;
  g.outer.assign(taps.begin(), taps.end() - 1);
  g.row = row;
  g.rows = row_count(g.outer);
  for (std::size_t a = 0; a + 1 < read.size(); ++a) g.read_rows *= read[a];
  constexpr std::size_t longest = 640, line = 16, cache = std::size_t(512) << 10;
  g.segment = std::min(row.entries(), longest);
  g.pitch = (g.segment + line - 1) / line * line + (row.reach + line - 1) / line * line;
  // Rows together read fewer others than each for itself; what they read is to stay in the second cache.
  const std::size_t bytes = std::max<std::size_t>(1, row.read.size() * channels * g.pitch * size);
  const std::size_t each = std::clamp<std::size_t>(cache / bytes, 1, most_strip_rows);
  for (std::size_t q = 0; q < g.rows; q += each) {
    g.strips.push_back(strip_of(g, q, std::min(g.rows, q + each), width, read));
    g.most_read = std::max(g.most_read, g.strips.back().read.size());
    g.most_rows = std::max(g.most_rows, g.strips.back().last - q);
  }
  for (std::size_t a = 0; a < 3; ++a) {
    const std::size_t missing = 3 - taps.size();
    if (a < missing)
      g.device_points.push_back(0);
    else
      g.device_copies[a] = append_table(taps[a - missing], width, g.device_points);
  }
  return g;
}
}  // namespace

std::size_t RowRule::entries() const {
  return count.empty() ? 0 : *std::max_element(count.begin(), count.end());
}

template <class T, class E>
ConvolutionPlan<T, E>::ConvolutionPlan(const E& e, const std::vector<std::size_t>& g,
                                       const ConvolutionOptions& o, std::size_t c, std::size_t out,
                                       const std::vector<std::size_t>& wanted)
    : executor(e),
      options(o),
      grid(g),
      output_grid(wanted),
      inputs(c),
      outputs(out),
      workspace(zeros<T>(e, 0)),
      tables(zeros<int>(e, 0)) {
  require(!g.empty() && g.size() <= 3,
          [&] { return fmt::format("Convolution: a grid of {} axes; it has from 1 to 3", g.size()); });
  require(c >= 1 && c <= 65536 && out >= 1 && out <= 65536, [&] {
    return fmt::format("Convolution: {} channels to {}; there may be from 1 to 65536 of either", c, out);
  });
  if (output_grid.empty())
    for (const std::size_t n : g) output_grid.push_back(convolved_points(n, o));
  require(output_grid.size() == g.size(),
          [&] { return fmt::format("Convolution: grids of {} and {} axes", g.size(), output_grid.size()); });
  std::vector<AxisTaps> down, up;
  std::vector<Axis> axes;
  for (std::size_t a = 0; a < g.size(); ++a) {
    require(g[a] >= 1 && g[a] <= (std::size_t(1) << 24) && output_grid[a] <= (std::size_t(1) << 26),
            [&] { return fmt::format("Convolution: axis {} has {} points", a, g[a]); });
    const std::size_t usual = convolved_points(g[a], o), m = output_grid[a];
    require(m == usual || (o.transposed && m >= o.stride * (g[a] - 1) + 1 && m <= o.stride * g[a]), [&] {
      return fmt::format("Convolution: {} points of axis {} give {}, not {}", g[a], a, usual, m);
    });
    axes.push_back({long(g[a]), long(m), long(o.width), long(o.stride), long(o.padding), o.boundary});
    down.push_back(taps_of(axes.back(), o.transposed));
    up.push_back(turned(down.back(), g[a]));
    points *= g[a];
    output_points *= m;
    taps *= o.width;
  }
  forward = gather_of(down, forward_row(axes.back(), o.transposed), grid, o.width, c, sizeof(T));
  adjoint = gather_of(up, adjoint_row(axes.back(), o.transposed), output_grid, o.width, out, sizeof(T));
  for (const auto& list : forward.row.taps) {
    offsets.emplace_back();
    targets.emplace_back();
    for (std::size_t k = 0; k < c; ++k)
      for (const RowRule::Tap& tap : list) {
        offsets.back().push_back((tap.phase * c + k) * forward.pitch + tap.shift);
        targets.back().push_back((tap.tap * c + k) * out);
      }
  }
  workspace = zeros<T>(e, convolution_workspace<T>(e, *this));
  std::vector<int> both = forward.device_points;
  both.insert(both.end(), adjoint.device_points.begin(), adjoint.device_points.end());
  if constexpr (!std::is_same_v<E, Cpu>) {
    tables = zeros<int>(e, both.size());
    upload<int, 1>(e, View<const int, 1>(both.data(), both.size()), View<int, 1>(tables.data(), both.size()));
  }
}

namespace {
bool is(const Extents<3>& shape, std::size_t b, std::size_t n, std::size_t c) {
  return shape[0] == b && shape[1] == n && shape[2] == c;
}
bool is_or_empty(const Extents<3>& shape, std::size_t b, std::size_t n, std::size_t c) {
  return shape[0] * shape[1] * shape[2] == 0 || is(shape, b, n, c);
}
}  // namespace
}  // namespace detail

std::size_t convolved_points(std::size_t points, const ConvolutionOptions& o) {
  require(o.width >= 1 && o.width <= 8 && o.stride >= 1 && o.stride <= 4 && o.padding < o.width, [&] {
    return fmt::format(
        "Convolution: {} taps, stride {}, padding {}; from 1 to 8 taps, a stride from 1 to 4 and a padding "
        "below the taps are possible",
        o.width, o.stride, o.padding);
  });
  const auto n = long(points), w = long(o.width), s = long(o.stride), p = long(o.padding);
  const long out = o.transposed ? s * (n - 1) + w - 2 * p : n + 2 * p < w ? 0 : (n + 2 * p - w) / s + 1;
  require(n >= 1 && out >= 1, [&] {
    return fmt::format("Convolution: {} taps with padding {} and stride {} leave nothing of {} points",
                       o.width, o.padding, o.stride, points);
  });
  return std::size_t(out);
}

template <class T, class E>
Convolution<T, E>::Convolution(const E& executor, const std::vector<std::size_t>& grid,
                               const ConvolutionOptions& options, std::size_t inputs, std::size_t outputs,
                               const std::vector<std::size_t>& output_grid)
    : plan_(std::make_unique<detail::ConvolutionPlan<T, E>>(executor, grid, options, inputs, outputs,
                                                            output_grid)) {}
template <class T, class E>
Convolution<T, E>::~Convolution() = default;
template <class T, class E>
Convolution<T, E>::Convolution(Convolution&&) noexcept = default;
template <class T, class E>
Convolution<T, E>& Convolution<T, E>::operator=(Convolution&&) noexcept = default;

template <class T, class E>
const std::vector<std::size_t>& Convolution<T, E>::output_grid() const {
  return plan_->output_grid;
}
template <class T, class E>
std::size_t Convolution<T, E>::weights() const {
  return plan_->taps * plan_->inputs * plan_->outputs;
}

template <class T, class E>
void Convolution<T, E>::forward(FieldActivation activation, View<const T, 3> x, View<const T, 1> weight,
                                View<const T, 1> bias, View<const T, 3> added, View<T, 3> y,
                                View<T, 3> slope) {
  const auto& p = *plan_;
  const std::size_t b = x.extent(0), n = p.output_points, o = p.outputs;
  require(detail::is(x.shape(), b, p.points, p.inputs) && detail::is(y.shape(), b, n, o) &&
              detail::is_or_empty(added.shape(), b, n, o) && detail::is_or_empty(slope.shape(), b, n, o) &&
              weight.size() == weights() && (bias.size() == 0 || bias.size() == o),
          [&] {
            return fmt::format(
                "Convolution: x [{}], {} weights, {} biases, added [{}], y [{}], slope [{}]; they must be "
                "[B, {}, {}], {}, {}, and [B, {}, {}]",
                fmt::join(x.shape(), ", "), weight.size(), bias.size(), fmt::join(added.shape(), ", "),
                fmt::join(y.shape(), ", "), fmt::join(slope.shape(), ", "), p.points, p.inputs, weights(), o,
                n, o);
          });
  if (b > 0) detail::convolve<T>(plan_->executor, *plan_, activation, x, weight, bias, added, y, slope);
}

template <class T, class E>
void Convolution<T, E>::adjoint(View<const T, 3> x, View<const T, 1> weight, View<const T, 3> slope,
                                View<T, 3> y_bar, View<T, 3> x_bar, bool add, View<T, 1> weight_bar,
                                View<T, 1> bias_bar) {
  const auto& p = *plan_;
  const std::size_t b = x.extent(0), n = p.output_points, o = p.outputs;
  require(
      detail::is(x.shape(), b, p.points, p.inputs) && detail::is(y_bar.shape(), b, n, o) &&
          detail::is_or_empty(slope.shape(), b, n, o) &&
          detail::is_or_empty(x_bar.shape(), b, p.points, p.inputs) && weight.size() == weights() &&
          weight_bar.size() == weights() && (bias_bar.size() == 0 || bias_bar.size() == o),
      [&] {
        return fmt::format(
            "Convolution: the adjoint of x [{}], slope [{}], y_bar [{}], x_bar [{}], {} and {} weights, {} "
            "biases; they must be [B, {}, {}], [B, {}, {}] and {} and {} numbers",
            fmt::join(x.shape(), ", "), fmt::join(slope.shape(), ", "), fmt::join(y_bar.shape(), ", "),
            fmt::join(x_bar.shape(), ", "), weight.size(), weight_bar.size(), bias_bar.size(), p.points,
            p.inputs, n, o, weights(), o);
      });
  if (b > 0)
    detail::convolve_adjoint<T>(plan_->executor, *plan_, x, weight, slope, y_bar, x_bar, add, weight_bar,
                                bias_bar);
}

template class Convolution<float>;
template class Convolution<double>;
#if SOBOLEV_HAS_CUDA
template class Convolution<float, Cuda>;
template class Convolution<double, Cuda>;
#endif

}  // namespace sobolev
