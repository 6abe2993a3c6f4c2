// SPDX-License-Identifier: Apache-2.0
#include "src/problem/data_corners.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "sobolev/core/random.hpp"

namespace sobolev::detail {
namespace {
constexpr double noticed = 1e-6;
constexpr int samples = 10;             // per place: both ends, then random points
constexpr std::size_t most_faces = 64;  // conditions that leave a coordinate free and are compared

using Where = std::vector<std::pair<std::string, double>>;

struct GivenValue {
  const Condition* condition;
  Expr value;
};

/// f of a condition a·u = a·f without other unknowns or derivatives.
std::optional<Expr> value_of(const Condition& condition, const std::string& unknown) {
  const Expr residual = condition.left - condition.right, u = field(unknown);
  if (const auto fields = fields_of(std::span<const Expr>(&residual, 1));
      fields.size() != 1 || fields[0] != u)
    return {};
  const Expr factor = partial(residual, u);
  if (!factor.is_constant() || factor->value == 0) return {};
  const Expr rest = substitute(residual, {{u, Expr(0.0)}});
  if (contains_fields(rest)) return {};
  return -rest / factor;
}

/// Both places together; nothing where they do not meet.
std::optional<Where> together(const Where& a, const Where& b) {
  Where all = a;
  for (const auto& [name, value] : b) {
    const auto same =
        std::find_if(all.begin(), all.end(), [&, n = name](const auto& w) { return w.first == n; });
    if (same == all.end())
      all.emplace_back(name, value);
    else if (same->second != value)
      return {};
  }
  return all;
}

/// Sample s of the points where `where` holds.
std::vector<std::pair<Expr, double>> point(const Problem& problem, const Where& where, int s) {
  const Philox random(1, 79);
  std::vector<std::pair<Expr, double>> leaves;
  for (std::size_t d = 0; d < problem.coordinates.size(); ++d) {
    const CoordinateRange& c = problem.coordinates[d];
    const double part = s < 2 ? double(s) : random.uniform(std::uint64_t(s) * 16 + d);
    double value = c.low + (c.high - c.low) * part;
    for (const auto& [name, fixed] : where)
      if (name == c.name) value = fixed;
    leaves.emplace_back(coordinate(c.name), value);
  }
  return leaves;
}

std::string place_text(const std::vector<std::pair<Expr, double>>& leaves) {
  std::string text;
  for (const auto& [leaf, value] : leaves)
    text += fmt::format("{}{} = {:g}", text.empty() ? "" : ", ", leaf->name, value);
  return text;
}

double largest(const Problem& problem, const GivenValue& given) {
  double size = 0;
  for (int s = 0; s < samples; ++s)
    if (const double v = evaluate(given.value, point(problem, given.condition->where, s)); std::isfinite(v))
      size = std::max(size, std::abs(v));
  return size;
}
double largest(const Problem& problem, const std::vector<GivenValue>& all) {
  double size = 0;
  for (const GivenValue& given : all) size = std::max(size, largest(problem, given));
  return size;
}

/// Where the two values differ most in the place where both hold; relative to `size`.
DataCorner compare(const Problem& problem, const GivenValue& a, const GivenValue& b, const Where& where,
                   double size) {
  DataCorner worst{a.condition, b.condition, {}, 0, 0, 0};
  for (int s = 0; s < (where.size() == problem.coordinates.size() ? 1 : samples); ++s) {
    const auto leaves = point(problem, where, s);
    const double x = evaluate(a.value, leaves), y = evaluate(b.value, leaves);
    if (!(std::abs(x - y) > std::max(worst.relative, noticed) * size)) continue;
    worst = {a.condition, b.condition, place_text(leaves), x, y, std::abs(x - y) / size};
  }
  return worst;
}
}  // namespace

std::vector<DataCorner> data_corners(const Problem& problem, const std::string& unknown) {
  std::vector<GivenValue> faces, all;
  const auto leaves_free = [&](const Condition& c) { return c.where.size() < problem.coordinates.size(); };
  for (const Condition& c : problem.conditions)
    if (leaves_free(c) && faces.size() < most_faces)
      if (const auto value = value_of(c, unknown)) faces.push_back({&c, *value});
  all = faces;
  // There may be many points, of measurements, and few of them lie where something else is given.
  for (const Condition& c : problem.conditions) {
    const auto meets = [&](const GivenValue& face) {
      return together(face.condition->where, c.where).has_value();
    };
    if (leaves_free(c) || std::none_of(faces.begin(), faces.end(), meets)) continue;
    if (const auto value = value_of(c, unknown)) all.push_back({&c, *value});
  }
  std::vector<DataCorner> corners;
  double size = -1;  // of all values, found when it is needed
  for (const GivenValue& a : faces)
    for (const GivenValue& b : all) {
      if (leaves_free(*b.condition) && b.condition <= a.condition) continue;  // each pair once
      const auto where = together(a.condition->where, b.condition->where);
      if (!where) continue;
      const double own = std::max(largest(problem, a), largest(problem, b));
      if (compare(problem, a, b, *where, own).relative == 0) continue;
      if (size < 0) size = largest(problem, all);
      if (DataCorner corner = compare(problem, a, b, *where, size); corner.relative > 0)
        corners.push_back(std::move(corner));
    }
  return corners;
}

}  // namespace sobolev::detail
