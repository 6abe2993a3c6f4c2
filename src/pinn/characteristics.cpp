// SPDX-License-Identifier: Apache-2.0
#include "characteristics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sobolev/problem/points.hpp"

namespace sobolev::detail {
namespace {
constexpr int intervals = 256;      // of labels, between which a place is enclosed
constexpr double beyond = 1e-3;     // of the labels' range: how far from it a label may lie
constexpr double rounding = 1e-13;  // of the range, in the position
constexpr int most_newton = 50, most_final = 20, few_steps = 4, many_steps = 64;
constexpr double longest_step = 0.25;  // of the range

View<const double, 2> view(const std::vector<double>& points, std::size_t d) {
  return View<const double, 2>(points.data(), points.size() / d, d);
}
}  // namespace

std::size_t Labels::missing() const { return std::size_t(std::count(missed.begin(), missed.end(), 1)); }

std::vector<double> Characteristics::wrapped(const std::vector<double>& points) const {
  std::vector<double> out = points;
  const std::size_t d = trained_.coordinates.size();
  for (int k : form_.moving()) {
    const CoordinateRange& c = trained_.coordinates[std::size_t(k)];
    if (!c.periodic) continue;
    const double length = c.high - c.low;
    for (std::size_t i = std::size_t(k); i < out.size(); i += d)
      out[i] -= length * std::floor((out[i] - c.low) / length);
  }
  return out;
}

std::vector<std::vector<double>> Characteristics::displacement(const std::vector<double>& points) const {
  const std::size_t d = trained_.coordinates.size();
  const std::vector<double> at = wrapped(points);
  std::vector<Expr> outputs;
  for (int k : form_.moving())
    outputs.push_back(field(displacement_name(trained_.coordinates[std::size_t(k)].name)));
  for (std::size_t row = 0; row < form_.moving().size(); ++row)
    for (int k : form_.moving())
      outputs.push_back(differentiate(outputs[row], trained_.coordinates[std::size_t(k)].name));
  return evaluate_windows(cpu_, make_, trained_, parameters_, view(at, d), outputs, relabelled(problem_));
}

std::vector<double> Characteristics::with_labels(View<const double, 2> x,
                                                 const std::vector<double>& labels) const {
  std::vector<double> points(x.begin(), x.end());
  const std::size_t d = x.extent(1), k = std::size_t(form_.moving()[0]);
  for (std::size_t i = 0; i < labels.size(); ++i) points[i * d + k] = labels[i];
  return points;
}

Characteristics::Enclosed Characteristics::enclose(View<const double, 2> x) const {
  const std::size_t n = x.extent(0), k = std::size_t(form_.moving()[0]);
  const CoordinateRange& c = trained_.coordinates[k];
  const double length = c.high - c.low, slack = c.periodic ? 0 : beyond * length;
  const double first = c.low - slack, width = (length + 2 * slack) / intervals;
  Enclosed out{std::vector<double>(n, first), std::vector<double>(n, first + intervals * width),
               std::vector<double>(n, 0.0), std::vector<char>(n, 0)};
  const auto positions = [&](const std::vector<double>& labels) {
    std::vector<double> at = displacement(with_labels(x, labels))[0];
    for (std::size_t i = 0; i < n; ++i) at[i] += labels[i];
    return at;
  };
  const std::vector<double> least = positions(out.low);
  if (c.periodic) {
    for (std::size_t i = 0; i < n; ++i) out.shift[i] = length * std::ceil((least[i] - x(i, k)) / length);
  } else {
    const std::vector<double> most = positions(out.high);
    for (std::size_t i = 0; i < n; ++i) {
      out.missed[i] = !(least[i] <= x(i, k) && x(i, k) <= most[i]);
      if (out.missed[i]) out.low[i] = out.high[i] = x(i, k) < least[i] ? c.low : c.high;
    }
  }
  std::vector<int> low(n, 0), high(n, intervals);
  std::vector<double> middle(n);
  for (int left = intervals; left > 1; left /= 2) {
    const auto half = [&](std::size_t i) { return (low[i] + high[i]) / 2; };
    for (std::size_t i = 0; i < n; ++i) middle[i] = first + width * double(half(i));
    const std::vector<double> at = positions(middle);
    for (std::size_t i = 0; i < n; ++i) {
      const int index = half(i);
      (at[i] <= x(i, k) + out.shift[i] ? low[i] : high[i]) = index;
    }
  }
  for (std::size_t i = 0; i < n; ++i)
    if (!out.missed[i]) out.low[i] = first + width * low[i], out.high[i] = first + width * high[i];
  return out;
}

Labels Characteristics::labels_in_one(View<const double, 2> x) const {
  const std::size_t n = x.extent(0), d = x.extent(1), k = std::size_t(form_.moving()[0]);
  const CoordinateRange& c = trained_.coordinates[k];
  Enclosed in = enclose(x);
  std::vector<double> label(n);
  std::vector<std::size_t> open;  // not yet found
  for (std::size_t i = 0; i < n; ++i) {
    label[i] = 0.5 * (in.low[i] + in.high[i]);
    if (!in.missed[i]) open.push_back(i);
  }
  for (int iteration = 0; iteration < most_newton && !open.empty(); ++iteration) {
    std::vector<double> points;
    for (std::size_t i : open) {
      points.insert(points.end(), x.data() + i * d, x.data() + (i + 1) * d);
      points[points.size() - d + k] = label[i];
    }
    const auto moved = displacement(points);
    std::vector<std::size_t> left;
    for (std::size_t j = 0; j < open.size(); ++j) {
      const std::size_t i = open[j];
      const double target = x(i, k) + in.shift[i], miss = label[i] + moved[0][j] - target;
      (miss <= 0 ? in.low[i] : in.high[i]) = label[i];
      double next = label[i] - miss / (1 + moved[1][j]);
      if (!(next > in.low[i] && next < in.high[i])) next = 0.5 * (in.low[i] + in.high[i]);
      const bool done = std::abs(miss) <= rounding * std::max(c.high - c.low, std::abs(target)) ||
                        next == label[i] || in.high[i] - in.low[i] <= rounding * (c.high - c.low);
      if (done) continue;
      label[i] = next;
      left.push_back(i);
    }
    open = std::move(left);
  }
  return {with_labels(x, label), std::move(in.missed)};
}

bool Characteristics::follow(View<const double, 2> x, const std::vector<std::size_t>& which, int steps,
                             Labels& out) const {
  const std::size_t d = x.extent(1), t = std::size_t(trained_.time());
  const std::size_t a = std::size_t(form_.moving()[0]), b = std::size_t(form_.moving()[1]);
  // Where the labels of each point's window begin.
  const auto start = [&](std::size_t i) {
    int w = 0;
    if (relabelled(problem_) != nullptr)
      while (w + 1 < int(parameters_.size()) && x(i, t) > window_range(trained_, w).second) ++w;
    return window_range(trained_, w).first;
  };
  const double size_a = trained_.coordinates[a].high - trained_.coordinates[a].low,
               size_b = trained_.coordinates[b].high - trained_.coordinates[b].low;
  std::vector<double> points;
  for (std::size_t i : which) points.insert(points.end(), x.data() + i * d, x.data() + (i + 1) * d);
  std::vector<char> found(which.size(), 0);
  for (int s = 1; s <= steps; ++s)
    for (int iteration = 0; iteration < (s < steps ? 2 : most_final); ++iteration) {
      std::vector<std::size_t> open;
      std::vector<double> at;
      for (std::size_t j = 0; j < which.size(); ++j) {
        const double begin = start(which[j]), end = x(which[j], t);
        points[j * d + t] = s == steps ? end : begin + (end - begin) * s / steps;
        if (found[j]) continue;
        open.push_back(j);
        at.insert(at.end(), &points[j * d], &points[(j + 1) * d]);
      }
      if (open.empty()) break;
      const auto displaced = displacement(at);
      for (std::size_t o = 0; o < open.size(); ++o) {
        const std::size_t j = open[o];
        const auto moved = [&](std::size_t output) { return displaced[output][o]; };
        double* const p = &points[j * d];
        const double ra = p[a] + moved(0) - x(which[j], a), rb = p[b] + moved(1) - x(which[j], b);
        found[j] = s == steps && std::abs(ra) <= rounding * size_a && std::abs(rb) <= rounding * size_b;
        if (found[j]) continue;
        const double aa = 1 + moved(2), ab = moved(3), ba = moved(4), bb = 1 + moved(5);
        const double determinant = aa * bb - ab * ba;
        if (!(std::abs(determinant) > 0)) continue;
        const auto limited = [](double step, double size) {
          return std::clamp(step, -longest_step * size, longest_step * size);
        };
        p[a] -= limited((bb * ra - ab * rb) / determinant, size_a);
        p[b] -= limited((aa * rb - ba * ra) / determinant, size_b);
      }
    }
  bool all = true;
  for (std::size_t j = 0; j < which.size(); ++j) {
    bool inside = true;
    for (const std::size_t k : {a, b}) {
      const CoordinateRange& c = trained_.coordinates[k];
      const double slack = beyond * (c.high - c.low);
      double& label = points[j * d + k];
      if (c.periodic || (label >= c.low - slack && label <= c.high + slack)) continue;
      inside = false;
      label = std::isfinite(label) ? std::clamp(label, c.low, c.high) : 0.5 * (c.low + c.high);
    }
    all = all && found[j];
    out.missed[which[j]] = !(found[j] && inside);
    std::copy_n(&points[j * d], d, &out.points[which[j] * d]);
  }
  return all;
}

Labels Characteristics::labels_in_two(View<const double, 2> x) const {
  Labels out{std::vector<double>(x.begin(), x.end()), std::vector<char>(x.extent(0), 0)};
  std::vector<std::size_t> which(x.extent(0));
  std::iota(which.begin(), which.end(), 0u);
  if (follow(x, which, few_steps, out)) return out;
  std::erase_if(which, [&](std::size_t i) { return !out.missed[i]; });
  // Where most are missed there is no map yet that smaller steps could follow.
  if (2 * which.size() > x.extent(0)) return out;
  follow(x, which, many_steps, out);
  return out;
}

Labels Characteristics::labels(View<const double, 2> x) const {
  return form_.moving().size() == 1 ? labels_in_one(x) : labels_in_two(x);
}

std::vector<std::vector<double>> Characteristics::values(View<const double, 2> x,
                                                         const std::vector<Expr>& outputs) const {
  const std::size_t n = x.extent(0), d = x.extent(1);
  require(d == problem_.coordinates.size(),
          "evaluate: the points have another number of columns than the problem has coordinates");
  // Fields at the labels; coordinates stay those of the places.
  const std::vector<Expr> fields = fields_of(outputs);
  std::vector<Expr> there;
  for (Expr leaf : fields) there.push_back(form_.at_labels(leaf));
  const auto at = [&](const std::vector<double>& labels) {
    const std::vector<double> points = wrapped(labels);
    return evaluate_windows(cpu_, make_, trained_, parameters_, view(points, d), there, relabelled(problem_));
  };
  std::vector<std::vector<double>> values;
  if (problem_.lagrangian->search == LabelSearch::newton) {
    values = at(labels(x).points);
  } else {
    const std::size_t k = std::size_t(form_.moving()[0]);
    const Enclosed in = enclose(x);
    const std::vector<double> low = with_labels(x, in.low), high = with_labels(x, in.high);
    const std::vector<double> from = displacement(low)[0], to = displacement(high)[0];
    const auto left = at(low), right = at(high);
    values = left;
    for (std::size_t i = 0; i < n; ++i) {
      const double begin = in.low[i] + from[i], span = in.high[i] + to[i] - begin;
      const double share = span > 0 ? (x(i, k) + in.shift[i] - begin) / span : 0;
      for (std::size_t f = 0; f < values.size(); ++f) values[f][i] += share * (right[f][i] - left[f][i]);
    }
  }
  std::vector<Expr> inputs;
  std::vector<double> columns;
  for (std::size_t k = 0; k < d; ++k) {
    inputs.push_back(coordinate(problem_.coordinates[k].name));
    for (std::size_t i = 0; i < n; ++i) columns.push_back(x(i, k));
  }
  inputs.insert(inputs.end(), fields.begin(), fields.end());
  for (const auto& v : values) columns.insert(columns.end(), v.begin(), v.end());
  const Tape tape = compile(outputs, inputs);
  std::vector<double> flat(outputs.size() * n);
  tape_forward<double>(cpu_, tape, View<const double, 2>(columns.data(), inputs.size(), n),
                       View<double, 2>(flat.data(), outputs.size(), n));
  std::vector<std::vector<double>> out;
  for (std::size_t o = 0; o < outputs.size(); ++o)
    out.emplace_back(flat.begin() + std::ptrdiff_t(o * n), flat.begin() + std::ptrdiff_t((o + 1) * n));
  return out;
}

DeformationCheck Characteristics::deformation(int count) const {
  PointRequest request;
  request.ranges = trained_.coordinates;
  request.ranges[std::size_t(trained_.time())].high =
      window_range(trained_, int(parameters_.size()) - 1).second;
  request.count = count;
  request.sampling = Sampling::sobol;
  const std::vector<double> points = sample_points(request);
  const std::size_t d = trained_.coordinates.size(), n = points.size() / d;
  const auto values = evaluate_windows(cpu_, make_, trained_, parameters_, view(points, d),
                                       {form_.determinant()}, relabelled(problem_))[0];
  DeformationCheck out;
  for (std::size_t i = 0; i < n; ++i) {
    out.below += (values[i] < problem_.lagrangian->floor ? 1.0 : 0.0) / double(n);
    if (std::isnan(out.least)) break;  // it stays
    if (!(values[i] >= out.least)) {
      out.least = values[i];
      out.place.assign(points.begin() + std::ptrdiff_t(i * d), points.begin() + std::ptrdiff_t((i + 1) * d));
    }
  }
  return out;
}

}  // namespace sobolev::detail
