// SPDX-License-Identifier: Apache-2.0
#include "src/problem/initial_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sobolev/core/random.hpp"
#include "src/problem/data_corners.hpp"
#include "src/problem/interfaces.hpp"

namespace sobolev::detail {
namespace {
/// A corner at a periodic seam or between data smaller than this, relative to the data, may stay in the
/// output.
constexpr double harmless = 1e-3;
constexpr int seam_samples = 8;

/// The order of the highest derivative of an unknown by a coordinate in the equations.
int highest_order(const Problem& problem, const std::string& unknown, const std::string& coordinate) {
  int order = 0;
  for (const Equation& equation : problem.equations)
    for (const Expr f : fields_of(std::array{equation.residual}))
      if (f->name == unknown)
        for (const auto& [name, n] : f->derivative)
          if (name == coordinate) order = std::max(order, n);
  return order;
}

std::string order_text(int order) {
  return order == 0 ? "value" : order == 1 ? "slope" : fmt::format("derivative of order {}", order);
}

/// Where the data, or a derivative that the equations need to be continuous, jumps inside the domain.
std::string jump_of(const CoordinateBox& box, Expr data, const std::string& coordinate, int orders) {
  if (!piecewise(data)) return {};
  for (int k = 0; k <= orders; ++k) {
    if (const auto jump = find_jump(data, box, coordinate))
      return fmt::format("its {} jumps inside the domain ({})", order_text(k), to_string(*jump));
    data = differentiate(data, coordinate);
  }
  return {};
}

/// Where the data, or such a derivative, differs at the two ends of a periodic coordinate.
std::string seam_of(const Problem& problem, Expr data, const CoordinateRange& seam, int orders) {
  const Philox random(1, 78);
  for (int k = 0; k <= orders; ++k) {
    double difference = 0, size = 0;
    std::uint64_t draw = 0;
    for (int s = 0; s < seam_samples; ++s) {
      std::vector<std::pair<Expr, double>> low, high, inside;
      for (const CoordinateRange& c : problem.coordinates) {
        const double value = c.low + (c.high - c.low) * random.uniform(draw++);
        low.emplace_back(coordinate(c.name), c.name == seam.name ? c.low : value);
        high.emplace_back(coordinate(c.name), c.name == seam.name ? c.high : value);
        inside.emplace_back(coordinate(c.name), value);
      }
      const double a = evaluate(data, low), b = evaluate(data, high);
      if (std::isfinite(a - b)) difference = std::max(difference, std::abs(a - b));
      for (const double v : {a, b, evaluate(data, inside)})
        if (std::isfinite(v)) size = std::max(size, std::abs(v));
    }
    if (difference > harmless * size)
      return fmt::format("its {} differs at the two ends of {}, which is periodic", order_text(k), seam.name);
    data = differentiate(data, seam.name);
  }
  return {};
}

std::string doubt_of(const Problem& problem, const std::string& unknown, const Condition& condition) {
  const CoordinateRange& time = problem.coordinates[std::size_t(problem.time())];
  const Expr data = substitute(condition.right, {{coordinate(time.name), Expr(time.low)}});
  const CoordinateBox box = problem.scope().ranges;
  for (const CoordinateRange& c : problem.coordinates) {
    if (c.name == time.name) continue;
    const int orders = std::max(1, highest_order(problem, unknown, c.name) - 1);
    if (std::string jump = jump_of(box, data, c.name, orders); !jump.empty()) return jump;
    if (!c.periodic) continue;
    if (std::string seam = seam_of(problem, data, c, orders); !seam.empty()) return seam;
  }
  return {};
}
}  // namespace

int time_order(const Problem& problem, const std::string& unknown) {
  return problem.time() < 0
             ? 0
             : highest_order(problem, unknown, problem.coordinates[std::size_t(problem.time())].name);
}

InitialData initial_data(const Problem& problem, const std::string& unknown) {
  InitialData data;
  if (problem.time() < 0 || problem.network.output.count(unknown) != 0) return data;
  const CoordinateRange& time = problem.coordinates[std::size_t(problem.time())];
  for (const Condition& c : problem.conditions) {
    if (c.where.size() != 1 || c.where[0].first != time.name || c.where[0].second != time.low) continue;
    if (contains_fields(c.right)) continue;
    if (c.left == field(unknown)) data.value = &c;
    if (c.left == field(unknown, {{time.name, 1}})) data.slope = &c;
  }
  const int order = time_order(problem, unknown);
  const bool possible =
      data.value != nullptr && order >= 1 && order <= 2 && (order == 1 || data.slope != nullptr);
  if (!possible) return data;
  if (order == 1) data.slope = nullptr;
  data.doubt = doubt_of(problem, unknown, *data.value);
  if (data.doubt.empty() && data.slope != nullptr) data.doubt = doubt_of(problem, unknown, *data.slope);
  if (data.doubt.empty())
    for (const DataCorner& corner : data_corners(problem, unknown))
      if ((corner.first == data.value || corner.second == data.value) && corner.relative > harmless) {
        const Condition& other = corner.first == data.value ? *corner.second : *corner.first;
        data.doubt = fmt::format("it disagrees with the condition {} at {}", other.name, corner.place);
        break;
      }
  data.built_in = problem.network.hard_initial.value_or(data.doubt.empty());
  return data;
}

namespace {
/// Of an unknown, in each of its pieces where the domain is cut.
std::vector<InitialData> initial_data_of_pieces(const Problem& problem, const Problem& trained,
                                                const std::string& unknown) {
  if (!is_cut(problem)) return {initial_data(problem, unknown)};
  std::vector<InitialData> out;
  for (int k = 0; k < CutProblem(problem).pieces(); ++k)
    out.push_back(initial_data(trained, CutProblem::piece_name(unknown, k)));
  return out;
}
}  // namespace

std::vector<std::string> problem_notes(const Problem& problem) {
  constexpr std::size_t most_corners = 8;
  std::vector<std::string> notes;
  Problem trained;
  if (is_cut(problem)) {
    const CutProblem cut(problem);
    trained = cut.trained();
    notes.push_back(fmt::format(
        "the domain is cut at {} = {:g} into pieces with unknowns of their own, joined by what the equations "
        "imply (sobolev check says what)",
        cut.coordinate(), fmt::join(cut.edges().begin() + 1, cut.edges().end() - 1, ", ")));
  }
  for (const std::string& unknown : problem.unknowns) {
    const std::vector<DataCorner> corners = data_corners(problem, unknown);
    for (std::size_t i = 0; i < std::min(corners.size(), most_corners); ++i)
      notes.push_back(
          fmt::format("the conditions {} and {} disagree at {}: {} is {:g} by the one and {:g} by the other; "
                      "the solution "
                      "has no single value there, and the error beside it falls slowly",
                      corners[i].first->name, corners[i].second->name, corners[i].place, unknown,
                      corners[i].first_value + 0.0, corners[i].second_value + 0.0));  // no −0
    if (corners.size() > most_corners)
      notes.push_back(fmt::format("{} more such places for {}", corners.size() - most_corners, unknown));
    const std::vector<InitialData> pieces = initial_data_of_pieces(problem, trained, unknown);
    const auto doubtful =
        std::find_if(pieces.begin(), pieces.end(), [](const InitialData& d) { return !d.doubt.empty(); });
    if (doubtful == pieces.end() || problem.network.hard_initial == false) continue;
    const InitialData& data = *doubtful;
    notes.push_back(
        data.built_in
            ? fmt::format("the initial data of {} is built into the output, as network.hard_initial "
                          "= true says, although {}: that stays in the output at all times",
                          unknown, data.doubt)
            : fmt::format("the initial data of {} is not built into the output, because {}; it is "
                          "trained as a condition (network.hard_initial = true would build it in)",
                          unknown, data.doubt));
  }
  return notes;
}

}  // namespace sobolev::detail
