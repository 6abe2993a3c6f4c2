// SPDX-License-Identifier: Apache-2.0
// From residual expressions to a group that the fused step runs: lower to raw outputs, move what depends
// on points only out of the tape, collapse combinations of highest derivatives into single channels.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "sobolev/core/random.hpp"
#include "src/expression/operations.hpp"
#include "src/problem/problem_checks.hpp"
#include "window_model.hpp"

namespace sobolev::detail {
namespace {
/// A leaf whose value is made of parameters.
bool is_trained(Expr e) {
  return e->op == Op::field && (e->role == Role::network_output || e->role == Role::unknown_constant);
}

MultiIndex multi_index(const Derivative& derivative, const Problem& problem) {
  MultiIndex alpha;
  for (const auto& [name, order] : derivative)
    for (std::size_t d = 0; d < problem.coordinates.size(); ++d)
      if (problem.coordinates[d].name == name) alpha.order[d] = std::uint8_t(std::min(order, 255));
  return alpha;
}

/// Maximal subexpressions that contain no network output and cost at least one operation.
class PointExpressions {
 public:
  std::vector<Expr> find(const std::vector<Expr>& roots) {
    // Without recursion: a sum of 64 KiB of text is as deep as it is long.
    const std::vector<Expr> nodes = operands_first(roots, [](Expr) { return true; });
    for (Expr e : nodes)
      trained_[e.node()] = is_trained(e) || (e->a.node() && trained_.at(e->a.node())) ||
                           (e->b.node() && trained_.at(e->b.node()));
    for (std::size_t k = 0; k < roots.size(); ++k) {
      if (!trained_.at(roots[k].node()))
        take(roots[k]);
      else
        visit(roots[k]);
      owners_.resize(found_.size(), k);
    }
    return found_;
  }
  /// Of each expression found, the first root that contains it.
  const std::vector<std::size_t>& owners() const { return owners_; }

 private:
  void take(Expr e) {
    const bool plain = e->op == Op::constant || e->op == Op::coordinate;
    if (!plain && taken_.insert(e.node()).second) found_.push_back(e);
  }
  void visit(Expr root) {
    std::vector<Expr> left{root};
    while (!left.empty()) {
      const Expr e = left.back();
      left.pop_back();
      if (!trained_.at(e.node())) {
        take(e);
      } else if (visited_.insert(e.node()).second) {
        if (e->b.node()) left.push_back(e->b);
        if (e->a.node()) left.push_back(e->a);
      }
    }
  }
  std::unordered_map<const ExprNode*, bool> trained_;
  std::set<const ExprNode*> visited_, taken_;
  std::vector<Expr> found_;
  std::vector<std::size_t> owners_;
};

/// A combination Σ c_m ∂^{α_m} through which alone these derivatives enter the residuals.
struct Combination {
  std::vector<JetTerm> terms;
};

/// Finds combinations by comparing the residuals' sensitivities ∂r_e/∂(∂^α N_q) at random arguments: two
/// derivatives whose sensitivities have one constant ratio everywhere occur only as one combination.
std::vector<Combination> find_combinations(const std::vector<Expr>& residuals,
                                           const std::vector<Expr>& fields,
                                           const std::vector<MultiIndex>& alphas, const JetSpec& spec,
                                           const Problem& problem, const std::vector<Expr>& leaves) {
  std::vector<MultiIndex> candidates;
  for (const MultiIndex& alpha : alphas)
    if (alpha.total() > 0 && spec.maximal(alpha) &&
        std::find(candidates.begin(), candidates.end(), alpha) == candidates.end())
      candidates.push_back(alpha);
  if (candidates.size() < 2) return {};

  constexpr int samples = 16;
  const Philox random(20240229, 5);
  std::vector<std::vector<double>> sensitivity(candidates.size());
  std::uint64_t counter = 0;
  for (int s = 0; s < samples; ++s) {
    std::vector<std::pair<Expr, double>> values;
    for (Expr leaf : leaves) {
      double v = random.normal(counter++);
      for (const CoordinateRange& c : problem.coordinates)
        if (leaf == coordinate(c.name)) v = c.low + (c.high - c.low) * random.uniform(counter++);
      values.emplace_back(leaf, v);
    }
    for (const std::string& u : problem.unknowns)
      for (Expr r : residuals)
        for (std::size_t i = 0; i < candidates.size(); ++i) {
          double v = 0;
          for (std::size_t f = 0; f < fields.size(); ++f)
            if (alphas[f] == candidates[i] && fields[f]->role == Role::network_output && fields[f]->name == u)
              v = evaluate(partial(r, fields[f]), values);
          sensitivity[i].push_back(v);
        }
  }
  std::vector<Combination> found;
  std::vector<bool> used(candidates.size(), false);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (used[i]) continue;
    const auto& a = sensitivity[i];
    const auto peak =
        std::max_element(a.begin(), a.end(), [](double x, double y) { return std::abs(x) < std::abs(y); });
    if (!(std::abs(*peak) > 0) || !std::isfinite(*peak)) continue;
    Combination combination{{{candidates[i], 1.0}}};
    for (std::size_t j = i + 1; j < candidates.size(); ++j) {
      if (used[j]) continue;
      const auto& b = sensitivity[j];
      const double ratio = b[std::size_t(peak - a.begin())] / *peak;
      bool constant = ratio != 0 && std::isfinite(ratio);
      for (std::size_t k = 0; constant && k < a.size(); ++k)
        constant = std::abs(b[k] - ratio * a[k]) <= 1e-12 * std::abs(b[k]) + 1e-300;
      if (!constant) continue;
      combination.terms.push_back({candidates[j], ratio});
      used[j] = true;
    }
    if (combination.terms.size() > 1) found.push_back(combination);
  }
  return found;
}
}  // namespace

CompiledGroup WindowModel::compile(const std::string& name, const std::vector<Expr>& residuals) const {
  const Problem& p = *problem_;
  CompiledGroup out{name, {JetSpec::closure(int(p.coordinates.size()), {}), {}, {}, 0, {}}, {}, {}, {},
                    false};
  std::vector<Expr> lowered;
  for (Expr r : residuals) lowered.push_back(lower(r));

  // What depends on the points only becomes external values, worked out once per point set.
  PointExpressions search;
  const std::vector<Expr> points_only = search.find(lowered);
  out.external_of = search.owners();
  std::vector<std::pair<Expr, Expr>> replace;
  std::vector<Expr> inputs, prelude_inputs, externals;
  for (const CoordinateRange& c : p.coordinates) inputs.push_back(coordinate(c.name));
  prelude_inputs = inputs;
  for (std::size_t i = 0; i < points_only.size(); ++i) {
    externals.push_back(leaf(Role::point_value, std::to_string(i)));
    replace.emplace_back(points_only[i], externals.back());
  }
  for (Expr f : fields_of(points_only)) {
    prelude_inputs.push_back(f);
    out.previous.push_back({f->name, f->derivative});
  }
  out.prelude = sobolev::compile(points_only, prelude_inputs);
  for (Expr& r : lowered) r = substitute(r, replace);

  const std::vector<Expr> fields = fields_of(lowered);
  std::vector<MultiIndex> alphas;
  for (Expr f : fields) alphas.push_back(multi_index(f->derivative, p));
  JetSpec spec = JetSpec::closure(int(p.coordinates.size()), alphas);
  std::vector<Expr> leaves = inputs;
  leaves.insert(leaves.end(), externals.begin(), externals.end());
  leaves.insert(leaves.end(), fields.begin(), fields.end());

  const std::vector<Combination> combinations = find_combinations(lowered, fields, alphas, spec, p, leaves);
  for (const Combination& c : combinations) spec = spec.collapse(c.terms);
  // r = f(Σ c_m ∂^{α_m}): put the combination in the place of the first derivative, 0 in the others'.
  std::vector<std::pair<Expr, Expr>> collapse;
  std::vector<std::pair<Expr, FieldInput>> field_inputs;
  for (std::size_t f = 0; f < fields.size(); ++f) {
    // Outputs are the unknowns', then the unknown constants.
    const UnknownConstant* const constant =
        fields[f]->role == Role::unknown_constant ? find_unknown_constant(p, fields[f]->name) : nullptr;
    const int output =
        constant ? int(p.unknowns.size()) + int(constant - p.unknown_constants.data())
                 : int(std::find(p.unknowns.begin(), p.unknowns.end(), fields[f]->name) - p.unknowns.begin());
    const Combination* inside = nullptr;
    for (const Combination& c : combinations)
      for (const JetTerm& term : c.terms)
        if (term.alpha == alphas[f]) inside = &c;
    if (!inside) {
      const int channel = spec.channel_of(alphas[f]);
      field_inputs.push_back(
          {fields[f], {output, channel, constant ? constant->unit() : spec.scale(channel)}});
      continue;
    }
    const MultiIndex& first = inside->terms.front().alpha;
    // Any derivative of the combination will do as its representative: scale by its own coefficient.
    const Expr collapsed =
        leaf(Role::collapsed_channel, fmt::format("{} of output {}", inside - combinations.data(), output));
    int channel = -1;
    for (int k = 0; k < spec.channels(); ++k)
      if (spec.collapsed(k) && spec.terms(k).front().alpha == first) channel = k;
    const bool seen = std::any_of(field_inputs.begin(), field_inputs.end(),
                                  [&](const auto& i) { return i.first == collapsed; });
    double coefficient = 1;
    for (const JetTerm& term : inside->terms)
      if (term.alpha == alphas[f]) coefficient = term.coefficient;
    collapse.emplace_back(fields[f], seen ? Expr(0.0) : collapsed * Expr(1 / coefficient));
    if (!seen) field_inputs.push_back({collapsed, {output, channel, 1.0}});
  }
  for (Expr& r : lowered) r = substitute(r, collapse);

  inputs.insert(inputs.end(), externals.begin(), externals.end());
  for (const auto& [leaf, input] : field_inputs) {
    inputs.push_back(leaf);
    out.group.fields.push_back(input);
  }
  out.group.jet = spec;
  out.group.externals = int(externals.size());
  out.group.tape = sobolev::compile(lowered, inputs);
  out.group.weights.assign(residuals.size(), 1.0);
  out.satisfied = fields.empty();
  return out;
}

}  // namespace sobolev::detail
