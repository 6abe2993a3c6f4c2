// SPDX-License-Identifier: Apache-2.0
#include "src/problem/interfaces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sobolev/core/words.hpp"
#include "sobolev/expression/jumps.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/problem_checks.hpp"
#include "src/problem/scales.hpp"

namespace sobolev::detail {
namespace {
constexpr double same_place = 1e-9;  // of the range
constexpr std::size_t most_pieces = 64;

bool contains(const std::vector<Expr>& all, Expr e) {
  return std::find(all.begin(), all.end(), e) != all.end();
}

bool may_be_cut(const Problem& problem, const std::string& name) {
  const CoordinateRange* const c = find_coordinate(problem, name);
  return c != nullptr && !c->periodic && c->name != problem.time_coordinate;
}

/// Where what stands under a kept derivative jumps inside the domain.
std::vector<double> places_of(const Problem& problem, Expr kept) {
  const CoordinateRange* const c = find_coordinate(problem, kept->name);
  return c == nullptr ? std::vector<double>{}
                      : jump_places(kept->a, c->name, c->low, c->high, problem.scope().ranges);
}

/// What remains between the places cannot be cut.
void check_remaining(const Problem& problem, const std::string& key, Expr kept,
                     const std::vector<double>& edges) {
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    CoordinateBox box = problem.scope().ranges;
    box[kept->name] = {edges[i], edges[i + 1]};
    if (const auto jump = find_jump(between(kept->a, kept->name, edges[i], edges[i + 1]), box, kept->name))
      fail(problem, key, fmt::format("{}: d(…): {}", key, dropped_delta(*jump, kept->name)));
  }
}
}  // namespace

CutProblem::CutProblem(const Problem& problem) : problem_(&problem) {
  find_places();
  if (!coordinate_.empty()) check_places();
}

void CutProblem::find_places() {
  const Problem& p = *problem_;
  std::vector<double> planes;
  const auto cut_along = [&](const std::string& name, const std::string& key) {
    if (!coordinate_.empty() && coordinate_ != name)
      fail(p, key,
           fmt::format("{}: the domain would be cut along {} and along {}; it can be cut at planes of one "
                       "coordinate. Smooth the jumps in the other one, e.g. 0.5*(1 + tanh(({} - 0.5)/width))",
                       key, coordinate_, name, name));
    coordinate_ = name;
  };
  for (const auto& [name, places] : p.interfaces) {
    const std::string key = "interfaces." + name;
    const CoordinateRange* const c = find_coordinate(p, name);
    if (c == nullptr) fail(p, key, fmt::format("{}: {} is not a coordinate", key, name));
    if (!may_be_cut(p, name))
      fail(p, key,
           fmt::format("{}: {} is {}; the domain can be cut at places of a coordinate of space that is not "
                       "periodic",
                       key, name, c->periodic ? "periodic" : "time"));
    cut_along(name, key);
    if (places.empty())
      fail(p, key, fmt::format("{} is empty; give a place or several, e.g. {} = 0.5", key, name));
    for (const double place : places) {
      const double slack = same_place * (c->high - c->low);
      if (!(place > c->low + slack && place < c->high - slack))
        fail(p, key,
             fmt::format("{} is {:g}; it must be inside of the range [{:g}, {:g}] of {}", key, place, c->low,
                         c->high, name));
      planes.push_back(place);
    }
  }
  for (const Equation& e : p.equations) {
    if (!e.kept) continue;
    const std::string key = "equations." + e.name;
    for (const Expr kept : kept_derivatives(*e.kept)) {
      const std::vector<double> places = places_of(p, kept);
      if (places.empty()) continue;
      if (!may_be_cut(p, kept->name))
        check_remaining(p, key, kept,
                        {find_coordinate(p, kept->name)->low, find_coordinate(p, kept->name)->high});
      cut_along(kept->name, key);
      planes.insert(planes.end(), places.begin(), places.end());
    }
  }
  if (coordinate_.empty()) return;
  const CoordinateRange& c = *find_coordinate(p, coordinate_);
  std::sort(planes.begin(), planes.end());
  edges_ = {c.low};
  for (const double place : planes)
    if (place - edges_.back() > same_place * (c.high - c.low)) edges_.push_back(place);
  edges_.push_back(c.high);
  if (edges_.size() - 1 > most_pieces)
    fail(p, p.interfaces.empty() ? "equations" : "interfaces",
         fmt::format(
             "the domain would be cut into {} pieces along {}; up to {} are possible. Smooth the jumps",
             edges_.size() - 1, coordinate_, most_pieces));
}

void CutProblem::check_places() const {
  const Problem& p = *problem_;
  for (const Equation& e : p.equations)
    if (e.kept)
      for (const Expr kept : kept_derivatives(*e.kept)) {
        const CoordinateRange& c = *find_coordinate(p, kept->name);
        check_remaining(p, "equations." + e.name, kept,
                        kept->name == coordinate_ ? edges_ : std::vector<double>{c.low, c.high});
      }
}

void CutProblem::check_kept(const std::string& key, Expr e) const {
  const Problem& p = *problem_;
  for (const Expr kept : kept_derivatives(e)) {
    const CoordinateRange* const c = find_coordinate(p, kept->name);
    if (c == nullptr) fail(p, key, fmt::format("{}: {} is not a coordinate", key, kept->name));
    check_remaining(p, key, kept, kept->name == coordinate_ ? edges_ : std::vector<double>{c->low, c->high});
  }
}

int CutProblem::piece_of(double y) const {
  int piece = 0;
  while (piece + 1 < pieces() && y > edges_[std::size_t(piece) + 1]) ++piece;
  return piece;
}

double CutProblem::reference(int piece, double y) const {
  const double low = edges_[std::size_t(piece)], high = edges_[std::size_t(piece) + 1];
  return piece % 2 == 0 ? (y - low) / (high - low) : (high - y) / (high - low);
}

double CutProblem::place(int piece, double eta) const {
  const double low = edges_[std::size_t(piece)], high = edges_[std::size_t(piece) + 1];
  return piece % 2 == 0 ? low + (high - low) * eta : high - (high - low) * eta;
}

std::string CutProblem::piece_name(const std::string& unknown, int piece) {
  return fmt::format("{}_{}", unknown, piece + 1);
}

Expr CutProblem::in_piece(Expr e, int piece) const {
  const double low = edges_[std::size_t(piece)], high = edges_[std::size_t(piece) + 1];
  const Expr here = expanded(between(e, coordinate_, low, high));
  const double slope = (piece % 2 == 0 ? 1 : -1) / (high - low);
  const Expr eta = sobolev::coordinate(coordinate_);
  std::vector<std::pair<Expr, Expr>> pairs{
      {eta, piece % 2 == 0 ? Expr(low) + Expr(high - low) * eta : Expr(high) - Expr(high - low) * eta}};
  for (const Expr leaf : fields_of(std::array{here})) {
    if (leaf->role != Role::unknown) continue;
    double factor = 1;
    for (const auto& [name, order] : leaf->derivative)
      if (name == coordinate_) factor = std::pow(slope, order);
    pairs.emplace_back(leaf, Expr(factor) * field(piece_name(leaf->name, piece), leaf->derivative));
  }
  return substitute(here, pairs);
}

std::vector<InterfaceCondition> CutProblem::conditions() const {
  return interface_conditions(*problem_, *this);
}

void CutProblem::add_equations(Problem& out, std::vector<PieceOrigin>* origins) const {
  for (const Equation& e : problem_->equations)
    for (int k = 0; k < pieces(); ++k) {
      const Expr residual = in_piece(e.kept.value_or(e.residual), k);
      if (residual.is_constant(0)) continue;
      const std::string name = piece_name(e.name, k);
      if (!contains_fields(residual))
        fail(*problem_, "equations." + e.name,
             fmt::format(
                 "equation {} is {} = 0 for {} from {:g} to {:g}, without an unknown; it holds nowhere "
                 "there",
                 e.name, to_string(residual, shown_expression), coordinate_, edges_[std::size_t(k)],
                 edges_[std::size_t(k) + 1]));
      out.equations.push_back({name, residual, e.position});
      if (const auto at = problem_->positions.find("equations." + e.name); at != problem_->positions.end())
        out.positions["equations." + name] = at->second;
      if (origins != nullptr) origins->push_back({e.name, k});
    }
}

void CutProblem::add_conditions(Problem& out, std::vector<PieceOrigin>* origins) const {
  const CoordinateRange& range = *find_coordinate(*problem_, coordinate_);
  const double slack = same_place * (range.high - range.low);
  for (const Condition& c : problem_->conditions) {
    const auto fixed =
        std::find_if(c.where.begin(), c.where.end(), [&](const auto& w) { return w.first == coordinate_; });
    const int only = fixed == c.where.end() ? -1 : piece_of(fixed->second - slack);
    for (int k = 0; k < pieces(); ++k) {
      if (only >= 0 && k != only) continue;
      Condition here = c;
      here.name = only >= 0 ? c.name : piece_name(c.name, k);
      here.text.clear();
      here.left = in_piece(c.left, k);
      here.right = in_piece(c.right, k);
      for (auto& [name, value] : here.where)
        if (name == coordinate_) value = std::clamp(reference(k, value), 0.0, 1.0);
      const Expr residual = here.left - here.right;
      if (residual.is_constant(0)) continue;  // it says nothing of this piece
      if (!contains_fields(residual))
        fail(*problem_, "conditions." + c.name,
             fmt::format(
                 "condition {} is {} = 0 for {} from {:g} to {:g}, without an unknown; it holds nowhere "
                 "there",
                 c.name, to_string(residual, shown_expression), coordinate_, edges_[std::size_t(k)],
                 edges_[std::size_t(k) + 1]));
      if (const auto at = problem_->positions.find("conditions." + c.name); at != problem_->positions.end())
        out.positions["conditions." + here.name] = at->second;
      out.conditions.push_back(std::move(here));
      if (origins != nullptr) origins->push_back({c.name, k});
    }
  }
  for (const InterfaceCondition& c : conditions()) {
    const double eta = c.place % 2 == 0 ? 1 : 0;
    Condition joined{c.name,
                     {{coordinate_, eta}},
                     in_piece(c.continuous, c.place),
                     in_piece(c.continuous, c.place + 1),
                     {},
                     {}};
    out.conditions.push_back(std::move(joined));
    if (origins != nullptr) origins->push_back({c.name, c.place});
  }
}

void CutProblem::set_network(Problem& out) const {
  const NetworkOptions& asked = problem_->network;
  NetworkOptions& n = out.network;
  n.output.clear();
  for (const std::string& u : problem_->unknowns) {
    for (int k = 0; k < pieces(); ++k) {
      const std::string name = piece_name(u, k);
      if (const auto at = asked.own.find(u); at != asked.own.end()) n.own.emplace(name, at->second);
      if (const auto at = asked.scale.find(u); at != asked.scale.end()) n.scale.emplace(name, at->second);
      if (const auto at = asked.offset.find(u); at != asked.offset.end()) n.offset.emplace(name, at->second);
      if (const auto at = asked.output.find(u); at != asked.output.end())
        n.output.emplace(name, in_piece(at->second, k));
    }
    n.own.erase(u);
    n.scale.erase(u);
    n.offset.erase(u);
  }
}

Problem CutProblem::trained(std::vector<PieceOrigin>* equations, std::vector<PieceOrigin>* conditions) const {
  Problem out = *problem_;
  out.interfaces.clear();
  out.reference = {};
  out.training.stop.relative_l2 = 0;  // of the problem itself
  out.source.clear();
  out.unknowns.clear();
  out.equations.clear();
  out.conditions.clear();
  for (const std::string& u : problem_->unknowns)
    for (int k = 0; k < pieces(); ++k) out.unknowns.push_back(piece_name(u, k));
  for (CoordinateRange& c : out.coordinates)
    if (c.name == coordinate_) c.low = 0, c.high = 1;
  add_equations(out, equations);
  add_conditions(out, conditions);
  set_network(out);
  for (DenseRegion& region : out.training.points.dense)
    if (region.coordinate == coordinate_) {
      const int k = piece_of(region.centre);
      region.centre = reference(k, region.centre);
      region.width /= edges_[std::size_t(k) + 1] - edges_[std::size_t(k)];
    }
  return out;
}

std::vector<PieceOrigin> CutProblem::equation_origins() const {
  std::vector<PieceOrigin> out;
  trained(&out, nullptr);
  return out;
}
std::vector<PieceOrigin> CutProblem::condition_origins() const {
  std::vector<PieceOrigin> out;
  trained(nullptr, &out);
  return out;
}

bool is_cut(const Problem& problem) {
  if (problem.interfaces.empty() && std::none_of(problem.equations.begin(), problem.equations.end(),
                                                 [](const Equation& e) { return e.kept.has_value(); }))
    return false;
  return !CutProblem(problem).coordinate().empty();
}

std::vector<std::string> piece_unknowns(const Problem& problem) {
  std::vector<std::string> names;
  if (!is_cut(problem)) return names;
  const CutProblem cut(problem);
  for (const std::string& u : problem.unknowns)
    for (int k = 0; k < cut.pieces(); ++k) names.push_back(CutProblem::piece_name(u, k));
  return names;
}

Problem cut_with_defaults(const Problem& problem) {
  Problem p = problem;
  // Of the whole problem: a piece by itself may know of its source alone.
  for (const auto& [unknown, magnitude] : likely_magnitudes(problem)) {
    p.network.scale.emplace(unknown, magnitude.scale);
    p.network.offset.emplace(unknown, magnitude.offset);
  }
  const CutProblem cut(p);
  const Problem trained = with_defaults(cut.trained());
  const std::vector<double>& edges = cut.edges();
  p.interfaces = {{cut.coordinate(), {edges.begin() + 1, edges.end() - 1}}};
  p.network.depth = trained.network.depth;
  p.network.width = trained.network.width;
  p.network.periodic_modes = trained.network.periodic_modes;
  p.network.gaussians = trained.network.gaussians;
  p.network.scale = trained.network.scale;
  p.network.offset = trained.network.offset;
  const TrainingOptions given = p.training;
  p.training = trained.training;
  p.training.points.dense = given.points.dense;
  if (given.stop.relative_l2 > 0) p.training.stop = given.stop;
  return p;
}

void check_interfaces(const Problem& problem) {
  const CutProblem cut(problem);
  const std::string& along = cut.coordinate();
  const std::string key = problem.interfaces.empty() ? "equations" : "interfaces";
  if (problem.lagrangian)
    fail(problem, "lagrangian",
         fmt::format("lagrangian: the domain is cut along {}, where coefficients jump, and characteristics "
                     "would cross the cut; leave [lagrangian] out",
                     along));
  for (const std::string& name : piece_unknowns(problem)) {
    const auto taken = [&](const std::string& other) { return other == name; };
    if (std::any_of(problem.unknowns.begin(), problem.unknowns.end(), taken) ||
        find_coordinate(problem, name) != nullptr || problem.constants.contains(name) ||
        find_unknown_constant(problem, name) != nullptr)
      fail(
          problem, key,
          fmt::format("the domain is cut along {}, and {} is the name of an unknown in a piece of it; choose "
                      "another name for the {} of the problem",
                      along, name, name));
  }
  const NetworkOptions& n = problem.network;
  if (n.symmetry.contains(along))
    fail(
        problem, "network.symmetry." + along,
        fmt::format("network.symmetry: {} in {}, along which the domain is cut: its pieces have no symmetry; "
                    "leave it out",
                    n.symmetry.at(along) > 0 ? "even" : "odd", along));
  for (std::size_t i = 0; i < n.features.size(); ++i)
    if (contains(coordinates_of(std::array{n.features[i]}), coordinate(along)))
      fail(problem, fmt::format("network.features.{}", i),
           fmt::format("network.features.{} contains {}, along which the domain is cut: it would be another "
                       "input in each piece; leave it out",
                       i, along));
  if (!problem.reference.solver.empty())
    fail(problem, "reference.solver",
         fmt::format("reference.solver {} beside a domain that is cut along {}; use an exact reference or a "
                     "file",
                     problem.reference.solver, along));
  cut.trained().validate();
}

Problem with_kept_apart(const Problem& problem) {
  Problem out = problem;
  for (Equation& e : out.equations) {
    if (kept_derivatives(e.residual).empty()) continue;
    const Equation apart = make_equation(e.name, e.residual);
    e.residual = apart.residual;
    e.kept = apart.kept;
  }
  return out;
}

const Condition* trained_condition(const Problem& problem, const Problem& trained, std::size_t index) {
  if (!is_cut(problem)) return &trained.conditions[index];
  const std::vector<PieceOrigin> origins = CutProblem(problem).condition_origins();
  for (std::size_t i = 0; i < origins.size(); ++i)
    if (origins[i].name == problem.conditions[index].name) return &trained.conditions[i];
  return nullptr;
}

}  // namespace sobolev::detail
