// SPDX-License-Identifier: Apache-2.0
#include "scales.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "sampled.hpp"

namespace sobolev::detail {
namespace {
constexpr double smallest_decade = -60, largest_decade = 60;
constexpr double usual_low = 0.2, usual_high = 30;  // sizes that a network reaches without help
constexpr double order_one_low = 1e-2, order_one_high = 1e2;
constexpr double far = 10;    // an offset is worth having beyond so many times the variation
constexpr double above = 30;  // a source that makes a solution so much larger than its data is believed

using WaveNumbers = std::map<std::string, double>;

WaveNumbers longest_waves(const Problem& problem) {
  WaveNumbers k;
  for (const CoordinateRange& c : problem.coordinates) k[c.name] = std::numbers::pi / (c.high - c.low);
  return k;
}

/// Of a derivative of an unknown.
double size_of(Expr leaf, const Magnitude& m, const WaveNumbers& k) {
  double size = m.scale;
  for (const auto& [name, order] : leaf->derivative) size *= std::pow(k.at(name), order);
  return leaf->derivative.empty() ? m.offset + size : size;
}

/// What is known of one unknown on the way.
struct Known {
  std::optional<double> low, high;  // of prescribed values
  double slope_size = 0;            // size of the unknown that prescribed derivatives ask for
  std::optional<double> from_source;
  std::optional<double> balance;  // where nonlinear terms reach the linear ones
  bool by_user = false;           // output transform
  Magnitude result;
  bool settled = false;
};

class Estimate {
 public:
  explicit Estimate(const Problem& problem) : problem_(problem), longest_(longest_waves(problem)) {
    for (const std::string& u : problem.unknowns) known_[u].by_user = problem.network.output.contains(u);
  }

  std::map<std::string, Magnitude> run() {
    read_conditions();
    for (auto& [u, k] : known_) choose_offset(k);
    for (auto& [u, k] : known_) {
      k.from_source = from_equations(
          u, [](Expr term) { return !contains_fields(term); }, highest_order(u));
      k.balance = nonlinear_balance(u);
    }
    for (auto& [u, k] : known_) settle(k);
    // Unknowns of which only other unknowns tell.
    for (std::size_t pass = 0; pass < known_.size(); ++pass)
      for (auto& [u, k] : known_) {
        if (k.settled) continue;
        const auto settled = [&](Expr term) { return all_settled(term); };
        auto size = from_equations(u, settled, highest_order(u));
        if (!size) size = from_equations(u, settled, 0);
        if (!size) continue;
        k.result.scale = *size;
        k.settled = true;
      }
    std::map<std::string, Magnitude> out;
    for (auto& [u, k] : known_)
      if (!k.by_user) out[u] = rounded(k);
    return out;
  }

 private:
  /// Of a field leaf where unknown v has the size s and the others theirs, 0 where these are not known.
  double size_at(Expr leaf, const std::string& v, double s, const WaveNumbers& k) const {
    const Known& known = known_.at(leaf->name);
    return size_of(leaf,
                   {leaf->name == v ? s
                    : known.settled ? known.result.scale
                                    : 0,
                    known.result.offset},
                   k);
  }

  void read_conditions() {
    for (const Condition& c : problem_.conditions) {
      const Expr r = c.left - c.right;
      const std::vector<Expr> fields = fields_of({&r, 1});
      const bool one_unknown = !fields.empty() && std::all_of(fields.begin(), fields.end(), [&](Expr f) {
        return f->name == fields.front()->name;
      });
      if (!one_unknown || !known_.contains(fields.front()->name)) continue;
      Known& k = known_.at(fields.front()->name);
      const Expr leaf = fields.front(), factor = partial(r, leaf);
      if (fields.size() == 1 && factor.is_constant() && !factor.is_constant(0)) {
        const auto range = extremes(problem_, substitute(-r, {{leaf, Expr(0.0)}}) / factor, c.where);
        if (!range) continue;
        const auto [low, high] = *range;
        if (leaf->derivative.empty()) {
          k.low = std::min(k.low.value_or(low), low);
          k.high = std::max(k.high.value_or(high), high);
        } else {
          const double unit = size_of(leaf, {1, 0}, own_waves(leaf));
          k.slope_size = std::max(k.slope_size, std::max(std::abs(low), std::abs(high)) / unit);
        }
        continue;
      }
      // A mixture of value and slope: where its terms reach its data.
      Expr data = 0.0;
      std::vector<Expr> own;
      for (Expr term : summands(r)) {
        if (contains_fields(term))
          own.push_back(term);
        else
          data = data + term;
      }
      const auto range = extremes(problem_, data, c.where);
      if (!range) continue;
      const double wanted = std::max(std::abs(range->first), std::abs(range->second));
      Sampled terms(problem_, own, few, domain(problem_), c.where);
      const auto reached = [&](double s) {
        return largest_rms(terms([&](Expr f) { return size_of(f, {s, 0}, longest_); }));
      };
      if (wanted > 0)
        if (const auto s = first_reaching(reached, wanted)) k.slope_size = std::max(k.slope_size, *s);
    }
  }

  /// Of an unknown's derivatives in the equations, in all coordinates.
  int highest_order(const std::string& v) const {
    int highest = 0;
    for (const Equation& e : problem_.equations) highest = std::max(highest, order_in(e, v));
    return highest;
  }
  static int order_in(const Equation& equation, const std::string& v) {
    int highest = 0;
    for (Expr leaf : fields_of({&equation.residual, 1})) {
      int order = 0;
      for (const auto& [name, n] : leaf->derivative) order += n;
      if (leaf->name == v) highest = std::max(highest, order);
    }
    return highest;
  }

  static void choose_offset(Known& k) {
    if (!k.low) return;
    const double middle = (*k.low + *k.high) / 2, variation = (*k.high - *k.low) / 2;
    if (std::abs(middle) > far * variation) k.result.offset = middle;
  }

  bool all_settled(Expr term) const {
    const std::vector<Expr> leaves = fields_of({&term, 1});
    return std::all_of(leaves.begin(), leaves.end(), [&](Expr l) { return known_.at(l->name).settled; });
  }

  /// The terms of an equation that contain v, and the others for which given(term).
  template <class Given>
  static std::pair<std::vector<Expr>, std::vector<Expr>> split(const Equation& equation, const std::string& v,
                                                               const Given& given) {
    std::pair<std::vector<Expr>, std::vector<Expr>> out;
    for (Expr term : summands(equation.residual)) {
      const std::vector<Expr> leaves = fields_of({&term, 1});
      if (std::any_of(leaves.begin(), leaves.end(), [&](Expr l) { return l->name == v; }))
        out.first.push_back(term);
      else if (given(term))
        out.second.push_back(term);
    }
    return out;
  }

  /// The size at which the terms of an equation that contain v change by as much as its `given` terms are
  /// large; the smallest over the equations that contain v with derivatives of an order of `least` at least:
  /// in others it may be one small term among several.
  template <class Given>
  std::optional<double> from_equations(const std::string& v, const Given& given, int least) const {
    std::optional<double> smallest;
    for (const Equation& equation : problem_.equations) {
      if (order_in(equation, v) < least) continue;
      const auto [own, source] = split(equation, v, given);
      if (own.empty()) continue;
      Sampled terms(problem_, own);
      // By the source's own waves; and by its mean, which excites the longest ones, however narrow it is.
      const std::optional<double> by_waves = reaching(v, terms, source, waves_of(source), std::nullopt),
                                  by_mean = reaching(v, terms, source, longest_, mean_of(source));
      const double s = std::max(by_waves.value_or(0), by_mean.value_or(0));
      if (s > 0) smallest = std::min(smallest.value_or(s), s);
    }
    return smallest;
  }

  /// `wanted`: instead of the size of the source.
  std::optional<double> reaching(const std::string& v, Sampled& terms, const std::vector<Expr>& source,
                                 const WaveNumbers& k, std::optional<double> wanted) const {
    const auto sizes = [&](double s) { return [&, s](Expr leaf) { return size_at(leaf, v, s, k); }; };
    // What the offset alone leaves over counts as a source: a reaction at 300 kelvin, say.
    const Columns at_offset = terms(sizes(0));
    if (!wanted) {
      wanted = largest_rms(at_offset);
      if (!source.empty())
        *wanted = std::max(*wanted, largest_rms(Sampled(problem_, source, many)(sizes(0))));
    }
    if (!(*wanted > 0) || !std::isfinite(*wanted)) return {};
    const auto change = [&](double s) {
      Columns values = terms(sizes(s));
      for (std::size_t i = 0; i < values.size(); ++i)
        for (std::size_t n = 0; n < values[i].size(); ++n) values[i][n] -= at_offset[i][n];
      return largest_rms(values);
    };
    return first_reaching(change, *wanted);
  }

  static Expr sum_without_fields(const std::vector<Expr>& terms) {
    Expr sum = 0.0;
    for (Expr term : terms)
      if (!contains_fields(term)) sum = sum + term;
    return sum;
  }
  /// 0 where it is lost in that of many waves.
  double mean_of(const std::vector<Expr>& terms) const {
    const Columns values = Sampled(problem_, {sum_without_fields(terms)}, many)();
    double mean = 0;
    for (double v : values[0]) mean += v / double(many);
    return std::abs(mean) > 1e-2 * rms(values[0]) ? std::abs(mean) : 0;
  }

  /// The smallest s, to a twentieth of a decade, at which a rising function of s reaches `wanted`.
  template <class F>
  static std::optional<double> first_reaching(const F& f, double wanted) {
    double low = smallest_decade, high = largest_decade;
    if (f(std::pow(10.0, low)) >= wanted || !(f(std::pow(10.0, high)) >= wanted)) return {};
    while (high - low > 0.05) {
      const double middle = (low + high) / 2;
      (f(std::pow(10.0, middle)) >= wanted ? high : low) = middle;
    }
    return std::pow(10.0, high);
  }

  /// Root mean square of ∂f/∂x over that of f, at least π/length.
  WaveNumbers waves_of(const std::vector<Expr>& terms) const {
    WaveNumbers k = longest_;
    const Expr sum = sum_without_fields(terms);
    if (coordinates_of({&sum, 1}).empty()) return k;
    const double size = rms(Sampled(problem_, {sum}, many)()[0]);
    if (!(size > 0) || !std::isfinite(size)) return k;
    for (auto& [name, number] : k) {
      const double slope = rms(Sampled(problem_, {differentiate(sum, name)}, many)()[0]);
      if (std::isfinite(slope)) number = std::max(number, slope / size);
    }
    return k;
  }

  /// The wave numbers that an equation gives an unknown in the coordinates of a derivative: where the terms
  /// differentiated by one reach those that are not. An oscillator has its frequency however long it runs.
  WaveNumbers own_waves(Expr derivative) const {
    WaveNumbers k = longest_;
    for (const auto& [name, order] : derivative->derivative)
      for (const Equation& equation : problem_.equations) {
        std::vector<Expr> with, without;
        for (Expr term : split(equation, derivative->name, [](Expr) { return false; }).first) {
          const std::vector<Expr> leaves = fields_of({&term, 1});
          const bool by = std::any_of(leaves.begin(), leaves.end(), [&, coordinate = name](Expr l) {
            return std::any_of(l->derivative.begin(), l->derivative.end(),
                               [&](const auto& d) { return d.first == coordinate; });
          });
          (by ? with : without).push_back(term);
        }
        if (with.empty() || without.empty()) continue;
        Sampled fast(problem_, with), slow(problem_, without);
        const auto ratio = [&, coordinate = name](double number) {
          WaveNumbers at = k;
          at[coordinate] = number;
          const auto size = [&](Expr leaf) { return size_of(leaf, {1, 0}, at); };
          return largest_rms(fast(size)) / largest_rms(slow(size));
        };
        if (const auto number = first_reaching(ratio, 1)) k[name] = std::max(k[name], *number);
      }
    return k;
  }

  /// The smallest size of v at which a term that is not linear in it reaches the linear ones of its equation.
  std::optional<double> nonlinear_balance(const std::string& v) const {
    std::optional<double> smallest;
    for (const Equation& equation : problem_.equations) {
      std::vector<Expr> linear, nonlinear;
      for (Expr term : split(equation, v, [](Expr) { return false; }).first) {
        bool curved = false;
        for (Expr leaf : fields_of({&term, 1})) {
          if (leaf->name != v) continue;
          const Expr slope = partial(term, leaf);
          for (Expr inner : fields_of({&slope, 1})) curved = curved || inner->name == v;
        }
        (curved ? nonlinear : linear).push_back(term);
      }
      if (nonlinear.empty() || linear.empty()) continue;
      Sampled above(problem_, nonlinear), below(problem_, linear);
      const auto ratio = [&](double s) {
        const auto sizes = [&](Expr leaf) { return size_at(leaf, v, s, longest_); };
        return largest_rms(above(sizes)) / largest_rms(below(sizes));
      };
      if (const auto s = first_reaching(ratio, 1)) smallest = std::min(smallest.value_or(*s), *s);
    }
    return smallest;
  }

  static void settle(Known& k) {
    if (k.by_user) {
      k.result = {};
      k.settled = true;
      return;
    }
    double size = 0;  // of the variation about the offset
    if (k.low) size = std::max(std::abs(*k.low - k.result.offset), std::abs(*k.high - k.result.offset));
    if (k.from_source && (size == 0 || *k.from_source > above * size)) size = *k.from_source;
    if (size == 0 || k.slope_size > above * size) size = std::max(size, k.slope_size);
    if (k.result.offset != 0 && !(size > 0 && std::abs(k.result.offset) > far * size)) {
      // The data is one number: the size of the solution.
      size = std::max(size, std::abs(k.result.offset));
      k.result.offset = 0;
    }
    if (!(size > 0)) return;
    if (size < 1 && k.balance && *k.balance > order_one_low && *k.balance < order_one_high) size = 1;
    k.result.scale = size;
    k.settled = true;
  }

  static Magnitude rounded(const Known& k) {
    Magnitude m = k.result;
    if (!k.settled || (m.scale >= usual_low && m.scale <= usual_high))
      m.scale = 1;
    else
      m.scale = std::pow(10.0, std::round(std::log10(m.scale)));
    if (std::abs(m.offset) <= far * m.scale) m.offset = 0;
    return m;
  }

  const Problem& problem_;
  std::map<std::string, Known> known_;
  WaveNumbers longest_;
};
/// Unknown constants as numbers.
Expr with_initial_constants(Expr e, const Problem& problem) {
  std::vector<std::pair<Expr, Expr>> numbers;
  for (const UnknownConstant& c : problem.unknown_constants)
    numbers.emplace_back(unknown_constant(c.name), Expr(c.initial));
  return numbers.empty() ? e : substitute(e, numbers);
}
}  // namespace

std::map<std::string, Magnitude> likely_magnitudes(const Problem& problem) {
  Problem known = problem;
  for (Equation& e : known.equations) e.residual = with_initial_constants(e.residual, problem);
  for (Condition& c : known.conditions) {
    c.left = with_initial_constants(c.left, problem);
    c.right = with_initial_constants(c.right, problem);
  }
  return Estimate(known).run();
}

NaturalSizes natural_sizes(const Problem& problem, Expr residual) {
  // Unknowns as their output transforms make them of raw outputs.
  const Expr e = with_initial_constants(substitute_fields(residual, problem.network.output), problem);
  const WaveNumbers k = longest_waves(problem);
  const auto of = [](const std::map<std::string, double>& values, const std::string& name, double otherwise) {
    const auto it = values.find(name);
    return it == values.end() ? otherwise : it->second;
  };
  const std::vector<Expr> leaves = fields_of({&e, 1});
  std::vector<Expr> slopes;
  for (Expr leaf : leaves) slopes.push_back(partial(e, leaf));
  Sampled terms(problem, summands(e)), sensitivities(problem, slopes);
  NaturalSizes sizes;
  // At some sizes, for an expression may have no value at one (1/(1 − u) at 1).
  for (double part : {0.31, 0.53, 1.0}) {
    const auto size = [&](Expr leaf) {
      return size_of(
          leaf, {part * of(problem.network.scale, leaf->name, 1), of(problem.network.offset, leaf->name, 0)},
          k);
    };
    sizes.terms = std::max(sizes.terms, largest_finite_rms(terms(size)));
    double sensitivity = 0;
    const Columns values = sensitivities(size);
    for (std::size_t i = 0; i < leaves.size(); ++i)
      sensitivity += largest_finite_rms({values[i]}) *
                     size_of(leaves[i], {of(problem.network.scale, leaves[i]->name, 1), 0}, k);
    sizes.sensitivity = std::max(sizes.sensitivity, sensitivity);
  }
  return sizes;
}

}  // namespace sobolev::detail
