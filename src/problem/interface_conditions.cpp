// SPDX-License-Identifier: Apache-2.0
// What is continuous across a cut, read off the equations as interfaces.hpp says.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "sobolev/expression/jumps.hpp"
#include "src/problem/interfaces.hpp"

namespace sobolev::detail {
namespace {
/// factor·∂_y under, a term of a sum.
struct Part {
  Expr factor, under;
  int order;  // in y, of the whole
};

/// At one plane.
class Reader {
 public:
  Reader(const Problem& problem, const CutProblem& cut, int place)
      : along_(cut.coordinate()), box_(problem.scope().ranges) {
    const std::size_t at = std::size_t(place) + 1;
    const double c = cut.edges()[at];
    box_[along_] = {c - 0.25 * (c - cut.edges()[at - 1]), c + 0.25 * (cut.edges()[at + 1] - c)};
  }

  /// What lies under what stands under the outermost derivatives is continuous by itself.
  void read_inner(Expr residual, const std::string& source) {
    const std::vector<Part> all = parts(residual);
    const int top = highest(all);
    for (const Part& part : all)
      if (part.order == top && top >= 2) read(part.under, source);
  }
  /// Then the sums of the outermost ones.
  void read_outer(Expr residual, const std::string& source) {
    const std::vector<Part> all = parts(residual);
    const int top = highest(all);
    if (top > 0) add_sum(all, top, source);
  }
  const std::vector<std::pair<Expr, std::string>>& found() const { return found_; }

 private:
  void read(Expr e, const std::string& source) {
    read_inner(e, source);
    read_outer(e, source);
  }

  std::vector<Part> parts(Expr e) const {
    std::vector<Part> out;
    for (const Expr leaf : fields_of(std::array{e})) {
      if (leaf->role == Role::kept_derivative && leaf->name == along_) {
        out.push_back({partial(e, leaf), leaf->a, 1 + highest(parts(leaf->a))});
        continue;
      }
      if (leaf->role != Role::unknown) continue;
      Derivative under = leaf->derivative;
      for (auto part = under.begin(); part != under.end(); ++part) {
        if (part->first != along_) continue;
        const int order = part->second;
        if (--part->second == 0) under.erase(part);
        out.push_back({partial(e, leaf), field(leaf->name, under), order});
        break;
      }
    }
    return out;
  }
  static int highest(const std::vector<Part>& parts) {
    int order = 0;
    for (const Part& part : parts) order = std::max(order, part.order);
    return order;
  }

  bool jumps(Expr e) const { return piecewise(e) && find_jump(e, box_, along_).has_value(); }

  /// Σ factor·under of those of the highest order, and of lower ones of which nothing else says that they are
  /// continuous. By the first factor where that jumps: 1/c d(k T_y, y) stands for d(k T_y, y).
  void add_sum(const std::vector<Part>& all, int top, const std::string& source) {
    std::vector<Part> used;
    for (const Part& part : all)
      if (part.order == top || !known(part.under)) used.push_back(part);
    std::stable_partition(used.begin(), used.end(), [&](const Part& part) { return part.order == top; });
    const Expr first = used.front().factor;
    const bool divided = used.size() == 1 || first.is_constant() || jumps(first);
    Expr sum = 0.0;
    for (const Part& part : used) {
      const Expr factor = divided ? part.factor / first : part.factor;
      if (!jumps(factor))
        sum = sum + factor * part.under;
      else if (part.order == top)
        add(part.under, source);
    }
    add(sum, source);
  }

  /// Of a derivative in other coordinates: what is continuous everywhere on the plane has continuous ones.
  Expr stripped(Expr e) const {
    if (e->op != Op::field || e->role != Role::unknown) return e;
    Derivative across;
    for (const auto& part : e->derivative)
      if (part.first == along_) across.push_back(part);
    return field(e->name, across);
  }
  bool known(Expr e) const {
    const Expr bare = stripped(e);
    return std::any_of(found_.begin(), found_.end(), [&](const auto& f) { return f.first == bare; });
  }
  void add(Expr e, const std::string& source) {
    if (e->op == Op::negate) e = e->a;
    e = stripped(e);
    if (!e.is_constant() && contains_unknowns(e) && !known(e)) found_.emplace_back(e, source);
  }
  static bool contains_unknowns(Expr e) {
    const std::vector<Expr> fields = fields_of(std::array{e});
    return std::any_of(fields.begin(), fields.end(),
                       [](Expr f) { return f->role != Role::unknown_constant; });
  }

  std::string along_;
  CoordinateBox box_;
  std::vector<std::pair<Expr, std::string>> found_;
};
}  // namespace

std::vector<InterfaceCondition> interface_conditions(const Problem& problem, const CutProblem& cut) {
  std::vector<InterfaceCondition> out;
  std::set<std::string> taken;
  for (const Condition& c : problem.conditions) taken.insert(c.name);
  for (int place = 0; place + 1 < cut.pieces(); ++place) {
    Reader reader(problem, cut, place);
    for (const Equation& e : problem.equations) reader.read_inner(e.kept.value_or(e.residual), e.name);
    for (const Equation& e : problem.equations) reader.read_outer(e.kept.value_or(e.residual), e.name);
    for (const auto& [continuous, source] : reader.found()) {
      const bool value = continuous->op == Op::field && continuous->derivative.empty();
      const std::string base = fmt::format("interface_{}_{}", place + 1, value ? continuous->name : source);
      std::string name = base;
      for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{}_{}", base, n);
      out.push_back({place, name, source, continuous});
    }
  }
  return out;
}

}  // namespace sobolev::detail
