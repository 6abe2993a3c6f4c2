// SPDX-License-Identifier: Apache-2.0
// Jumps of expressions: sample the arguments of heaviside and sign, go to where one changes its sign by
// bisection, and compare the expression on both sides.
#include "sobolev/expression/jumps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "operations.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev {
namespace {
constexpr std::size_t crossings = 12;  // places looked at for each argument

std::vector<Expr> nodes_of(Expr e) {
  return detail::operands_first(std::span<const Expr>(&e, 1), [](Expr) { return true; });
}

/// Points of the leaves: [leaves][points], as a tape reads them.
struct Points {
  std::size_t leaves = 0, count = 0;
  std::vector<double> values;
  Points(std::size_t l, std::size_t n) : leaves(l), count(n), values(l * n) {}
  double& at(std::size_t leaf, std::size_t point) { return values[leaf * count + point]; }
  double at(std::size_t leaf, std::size_t point) const { return values[leaf * count + point]; }
};

std::vector<std::vector<double>> run(const Tape& tape, const Points& points) {
  std::vector<double> y(tape.outputs.size() * points.count);
  tape_forward<double>(Cpu(1), tape, View<const double, 2>(points.values.data(), points.leaves, points.count),
                       View<double, 2>(y.data(), tape.outputs.size(), points.count));
  std::vector<std::vector<double>> out;
  for (std::size_t o = 0; o < tape.outputs.size(); ++o)
    out.emplace_back(y.begin() + std::ptrdiff_t(o * points.count),
                     y.begin() + std::ptrdiff_t((o + 1) * points.count));
  return out;
}

/// The leaves and the values that they may have.
class Domain {
 public:
  Domain(std::vector<Expr> leaves, const CoordinateBox& box) : leaves_(std::move(leaves)) {
    for (Expr leaf : leaves_) {
      const auto found = leaf->op == Op::coordinate ? box.find(leaf->name) : box.end();
      ranges_.push_back(found == box.end() ? std::nullopt : std::optional(found->second));
    }
  }
  const std::vector<Expr>& leaves() const { return leaves_; }

  /// A leaf's value for s in [0, 1]: spread over its range; without one, over magnitudes 1e-3 … 1e5 of both
  /// signs.
  double value(std::size_t leaf, double s) const {
    if (const auto& range = ranges_[leaf]) return range->first + (range->second - range->first) * s;
    const double centred = 2 * s - 1;
    return std::copysign(std::pow(10.0, 8 * std::abs(centred) - 3), centred);
  }

  double length(std::size_t leaf) const {
    return ranges_[leaf] ? ranges_[leaf]->second - ranges_[leaf]->first : 1;
  }

  /// Low-discrepancy points (multiples of powers of the generalised golden ratio), after the corners.
  Points sample(std::size_t count) const {
    Points points(leaves_.size(), count);
    double ratio = 1.5;  // the root of r^(leaves + 1) = r + 1
    for (int i = 0; i < 60; ++i) ratio = std::pow(1 + ratio, 1 / (double(leaves_.size()) + 1));
    const std::size_t bits = std::min<std::size_t>(leaves_.size(), 6);
    for (std::size_t l = 0; l < leaves_.size(); ++l) {
      const double step = std::pow(ratio, -double(l + 1));
      for (std::size_t p = 0; p < count; ++p) {
        const double s = 0.5 + step * double(p + 1);
        points.at(l, p) = value(l, s - std::floor(s));
        if (ranges_[l] && l < bits && p < (std::size_t{1} << bits))
          points.at(l, p) = (p >> l) % 2 == 0 ? ranges_[l]->first : ranges_[l]->second;
      }
    }
    return points;
  }

 private:
  std::vector<Expr> leaves_;
  std::vector<std::optional<std::pair<double, double>>> ranges_;
};

/// Points with z < 0 and z > 0 in pairs, `crossings` of them, moved together until nothing lies between;
/// empty where z keeps its sign.
struct Crossing {
  Points below, above;
};
std::optional<Crossing> cross(const Tape& z, const Points& samples, const std::vector<double>& values) {
  std::vector<std::size_t> negative, positive;
  for (std::size_t p = 0; p < samples.count; ++p) {
    if (values[p] < 0) negative.push_back(p);
    if (values[p] > 0) positive.push_back(p);
  }
  if (negative.empty() || positive.empty()) return {};
  Crossing c{{samples.leaves, crossings}, {samples.leaves, crossings}};
  for (std::size_t k = 0; k < crossings; ++k)
    for (std::size_t l = 0; l < samples.leaves; ++l) {
      c.below.at(l, k) = samples.at(l, negative[k * negative.size() / crossings]);
      c.above.at(l, k) = samples.at(l, positive[k * positive.size() / crossings]);
    }
  for (int i = 0; i < 110; ++i) {  // magnitudes of 1e5 shrink to the last bit of numbers near zero
    Points middle(samples.leaves, crossings);
    for (std::size_t j = 0; j < middle.values.size(); ++j)
      middle.values[j] = 0.5 * c.below.values[j] + 0.5 * c.above.values[j];
    const std::vector<double> side = run(z, middle)[0];
    for (std::size_t k = 0; k < crossings; ++k) {
      // Where z is zero on a whole part, half of the pairs go to either end of it.
      const bool negative_side = side[k] < 0 || (side[k] == 0 && k % 2 == 1);
      Points& end = negative_side ? c.below : c.above;
      for (std::size_t l = 0; l < samples.leaves; ++l) end.at(l, k) = middle.at(l, k);
    }
  }
  // An end that hit the zero itself goes past it (or into the part where z is zero).
  for (Points* end : {&c.below, &c.above}) {
    const Points& other = end == &c.below ? c.above : c.below;
    const std::vector<double> side = run(z, *end)[0];
    for (std::size_t k = 0; k < crossings; ++k)
      for (std::size_t l = 0; side[k] == 0 && l < samples.leaves; ++l)
        end->at(l, k) += 4 * (end->at(l, k) - other.at(l, k));
  }
  return c;
}

/// Whether two limits differ by more than the distance of the points and rounding make.
bool differ(double a, double b, double typical) {
  const double difference = std::abs(a - b);
  return difference > 1e-8 * std::max(std::abs(a), std::abs(b)) && difference > 1e-10 * typical;
}

/// The median of |e| at the samples where it is finite.
double typical_size(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return 0;
  for (double& v : values) v = std::abs(v);
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<std::pair<Expr, double>> leaves_at(const Domain& domain, const Points& points, std::size_t p) {
  std::vector<std::pair<Expr, double>> place;
  for (std::size_t l = 0; l < points.leaves; ++l) {
    const double value = points.at(l, p);  // bisection towards 0 ends at a very small number
    place.emplace_back(domain.leaves()[l], std::abs(value) < 1e-12 * domain.length(l) ? 0 : value);
  }
  return place;
}
}  // namespace

bool piecewise(Expr e) {
  const std::vector<Expr> nodes = nodes_of(e);
  return std::any_of(nodes.begin(), nodes.end(), [](Expr x) {
    return x->op == Op::absolute || x->op == Op::sign || x->op == Op::heaviside || x->op == Op::minimum ||
           x->op == Op::maximum;
  });
}

std::optional<Jump> find_jump(Expr e, const CoordinateBox& box, const std::string& coordinate) {
  const std::vector<Expr> nodes = nodes_of(e);
  std::vector<Expr> switches, leaves;
  for (Expr x : nodes) {
    if (x->op == Op::coordinate || x->op == Op::field) leaves.push_back(x);
    if (x->op != Op::heaviside && x->op != Op::sign && x->op != Op::absolute) continue;
    if (!coordinate.empty() && differentiate(x->a, coordinate).is_constant(0)) continue;
    const auto same = [&](Expr s) { return s->a == x->a; };
    if (std::none_of(switches.begin(), switches.end(), same)) switches.push_back(x);
  }
  if (switches.empty()) return {};
  const Domain domain(leaves, box);
  // Large expressions are sampled less: the work stays below some 1e7 operations.
  const std::size_t count = std::clamp<std::size_t>(10'000'000 / nodes.size(), 128, 4096);
  const Points samples = domain.sample(count);
  std::vector<Expr> outputs{e};
  for (Expr s : switches) outputs.push_back(s->a);
  const std::vector<std::vector<double>> values = run(compile(outputs, leaves), samples);
  const double typical = typical_size(values[0]);
  const Tape whole = compile(std::span<const Expr>(&e, 1), leaves);
  for (std::size_t s = 0; s < switches.size(); ++s) {
    const std::vector<double>& z = values[s + 1];
    // On the place of the jump itself, as a condition may be, there are no sides to compare.
    if (std::all_of(z.begin(), z.end(), [](double v) { return v == 0; }))
      return Jump{switches[s], leaves_at(domain, samples, 0), values[0][0], values[0][0]};
    const Expr argument = switches[s]->a;
    const auto crossing = cross(compile(std::span<const Expr>(&argument, 1), leaves), samples, z);
    if (!crossing) continue;
    const std::vector<double> below = run(whole, crossing->below)[0], above = run(whole, crossing->above)[0];
    for (std::size_t k = 0; k < crossings; ++k)
      if (std::isfinite(below[k]) && std::isfinite(above[k]) && differ(below[k], above[k], typical))
        return Jump{switches[s], leaves_at(domain, crossing->above, k), below[k], above[k]};
  }
  return {};
}

namespace {
bool of_alone(Expr e, const std::string& name) {
  const std::vector<Expr> used = coordinates_of(std::span<const Expr>(&e, 1));
  return used.size() == 1 && used[0] == coordinate(name) && !contains_fields(e);
}

/// The argument at whose zero the function switches; a null one of others.
Expr switching_argument(Expr e) {
  switch (e->op) {
    case Op::heaviside:
    case Op::sign:
    case Op::absolute: return e->a;
    case Op::minimum:
    case Op::maximum: return e->a - e->b;
    default: return Expr(static_cast<const ExprNode*>(nullptr));
  }
}

/// z at values of the one coordinate it contains.
std::vector<double> values_of(Expr z, Expr at, const std::vector<double>& places) {
  Points points(1, places.size());
  points.values = places;
  return run(compile(std::span<const Expr>(&z, 1), std::span<const Expr>(&at, 1)), points)[0];
}

/// Where z changes its sign inside (low, high).
std::vector<double> sign_changes(Expr z, Expr at, double low, double high) {
  constexpr int intervals = 4096, sure = 64;
  std::vector<double> places, found;
  for (int i = 0; i <= intervals; ++i) places.push_back(low + (high - low) * i / intervals);
  const std::vector<double> z_there = values_of(z, at, places);
  const Expr slope = differentiate(z, at->name);
  for (std::size_t i = 0, last = places.size(); i < places.size(); ++i) {
    if (z_there[i] == 0 || std::isnan(z_there[i])) continue;
    if (last < places.size() && (z_there[last] < 0) != (z_there[i] < 0)) {
      double a = places[last], b = places[i];
      for (int k = 0; k < sure; ++k) {
        const double middle = 0.5 * a + 0.5 * b, there = evaluate(z, {{at, middle}});
        if (there == 0) {
          a = b = middle;
          break;
        }
        ((there < 0) == (z_there[last] < 0) ? a : b) = middle;
      }
      double place = 0.5 * a + 0.5 * b;
      // Of a line the zero as it is written: 0.1 and not what is next to it.
      if (slope.is_constant()) place = -evaluate(z, {{at, 0.0}}) / slope->value;
      const double slack = 1e-9 * (high - low);
      if (place > low + slack && place < high - slack) found.push_back(place);
    }
    last = i;
  }
  return found;
}
}  // namespace

bool at_places_of(const Jump& jump, const std::string& coordinate) {
  return of_alone(jump.node->a, coordinate);
}

std::vector<double> jump_places(Expr e, const std::string& coordinate, double low, double high,
                                const CoordinateBox& box) {
  const Expr at = sobolev::coordinate(coordinate);
  std::vector<double> all, places;
  for (const Expr x : nodes_of(e)) {
    const Expr z = switching_argument(x);
    if (!z.node() || !of_alone(z, coordinate)) continue;
    const std::vector<double> found = sign_changes(z, at, low, high);
    all.insert(all.end(), found.begin(), found.end());
  }
  std::sort(all.begin(), all.end());
  const double same = 1e-9 * (high - low);
  all.erase(std::unique(all.begin(), all.end(), [&](double a, double b) { return b - a <= same; }),
            all.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double before = i == 0 ? low : all[i - 1], after = i + 1 == all.size() ? high : all[i + 1];
    CoordinateBox beside = box;
    beside[coordinate] = {all[i] - 0.25 * (all[i] - before), all[i] + 0.25 * (after - all[i])};
    if (find_jump(e, beside, coordinate)) places.push_back(all[i]);
  }
  return places;
}

Expr between(Expr e, const std::string& coordinate, double low, double high) {
  constexpr int samples = 255;
  const Expr at = sobolev::coordinate(coordinate);
  std::vector<double> places;
  for (int i = 1; i <= samples; ++i) places.push_back(low + (high - low) * i / (samples + 1));
  std::unordered_map<const ExprNode*, Expr> done;
  for (const Expr x : nodes_of(e)) {
    if (detail::is_leaf(x)) {
      const bool kept = x->op == Op::field && x->role == Role::kept_derivative;
      done.emplace(x.node(), kept ? kept_derivative(between(x->a, coordinate, low, high), x->name) : x);
      continue;
    }
    const Expr a = done.at(x->a.node()), b = x->b.node() ? done.at(x->b.node()) : x->b;
    Expr made = a == x->a && b == x->b ? x : detail::build(x->op, a, b);
    if (const Expr z = switching_argument(made); z.node() && of_alone(z, coordinate)) {
      const std::vector<double> values = values_of(z, at, places);
      const auto all = [&](auto&& is) { return std::all_of(values.begin(), values.end(), is); };
      const bool above = all([](double v) { return v > 0; }), below = all([](double v) { return v < 0; });
      if (above || below) switch (made->op) {
          case Op::heaviside: made = Expr(above ? 1.0 : 0.0); break;
          case Op::sign: made = Expr(above ? 1.0 : -1.0); break;
          case Op::absolute: made = above ? made->a : -made->a; break;
          case Op::minimum: made = above ? made->b : made->a; break;
          default: made = above ? made->a : made->b; break;  // maximum
        }
    }
    done.emplace(x.node(), made);
  }
  return done.at(e.node());
}

std::vector<Expr> kept_derivatives(Expr e) {
  std::vector<Expr> found;
  for (const Expr leaf : fields_of(std::span<const Expr>(&e, 1))) {
    if (leaf->role != Role::kept_derivative) continue;
    for (const Expr inner : kept_derivatives(leaf->a))
      if (std::find(found.begin(), found.end(), inner) == found.end()) found.push_back(inner);
    found.push_back(leaf);
  }
  return found;
}

Expr expanded(Expr e) {
  std::vector<std::pair<Expr, Expr>> worked_out;
  for (const Expr leaf : fields_of(std::span<const Expr>(&e, 1)))
    if (leaf->role == Role::kept_derivative)
      worked_out.emplace_back(leaf, differentiate(expanded(leaf->a), leaf->name));
  return worked_out.empty() ? e : substitute(e, worked_out);
}

std::string to_string(const Jump& jump) {
  std::string where;
  const Expr argument = jump.node->a;
  for (Expr leaf : coordinates_of(std::span<const Expr>(&argument, 1)))
    for (const auto& [at, value] : jump.place)
      if (at == leaf) where += fmt::format("{}{} = {:.6g}", where.empty() ? " at " : ", ", leaf->name, value);
  if (contains_fields(argument)) where = " where its argument changes its sign";
  const std::string what = jump.node->op == Op::absolute ? "what is divided by " : "";
  return what + to_string(jump.node, 80) + " jumps" + where;
}

std::string dropped_delta(const Jump& jump, const std::string& coordinate) {
  const std::string argument = to_string(jump.node->a, 60);
  return fmt::format(
      "{}, and the derivative by {} of what it stands in has a delta function there, which would be dropped; "
      "smooth it, e.g. tanh(({})/width) with a small width, or make the flux an unknown of its own so that "
      "no "
      "jump is differentiated: q = k*T_y and q_y = 0",
      to_string(jump), coordinate, argument);
}

Expr differentiate_without_deltas(Expr e, const std::string& coordinate) {
  if (const auto jump = find_jump(e, {}, coordinate))
    throw ArgumentError(fmt::format(
        "d(…): {}. If the jump lies outside of the domain, leave it out; differentiate() drops the delta",
        dropped_delta(*jump, coordinate)));
  return differentiate(e, coordinate);
}

}  // namespace sobolev
