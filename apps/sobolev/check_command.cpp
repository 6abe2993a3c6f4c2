// SPDX-License-Identifier: Apache-2.0
// check: reads a problem and says what was understood, as lines or as one JSON object of a fixed shape.
#include <fmt/format.h>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/description.hpp"
#include "sobolev/data/reference.hpp"
#include "src/problem/evolution.hpp"
#include "src/problem/initial_data.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev::app {
namespace {
using Json = nlohmann::ordered_json;

/// What a run would refuse only after its start: a file that is missing or does not fit, equations that the
/// solver does not cover.
void check_reference(const Problem& problem) {
  if (!problem.reference.file.empty()) make_reference(Cpu(1), problem);
  if (problem.reference.solver.empty()) return;
  try {
    detail::read_evolution(problem);
  } catch (const ArgumentError& error) {
    detail::fail(problem, "reference.solver", error.what());
  }
}

std::string grid_text(const Problem& problem, const std::map<std::string, int>& grid) {
  std::string out;
  for (const CoordinateRange& c : problem.coordinates)
    if (const auto found = grid.find(c.name); found != grid.end())
      out += fmt::format("{}{} in {}", out.empty() ? " on a grid of " : " x ", found->second, c.name);
  return out;
}

/// Name and text, in the order in which they are printed.
std::vector<std::pair<std::string, std::string>> lines_of(const Problem& problem,
                                                          const Understood& understood) {
  const Problem& chosen = understood.chosen;
  std::vector<std::pair<std::string, std::string>> out;
  const auto option = [&](const std::string& name, const std::string& text, const std::string& given) {
    out.emplace_back(name, text == given ? text : text + " (default where not given)");
  };
  out.emplace_back("problem", title_of(problem));
  out.emplace_back("unknowns", fmt::format("{}", fmt::join(problem.unknowns, ", ")));
  for (std::size_t k = 0; k < problem.coordinates.size(); ++k)
    out.emplace_back("coordinate", range_text(problem.coordinates[k], problem.time() == static_cast<int>(k)));
  for (const auto& [name, value] : problem.constants)
    out.emplace_back("constant", fmt::format("{} = {}", name, value));
  for (const UnknownConstant& c : problem.unknown_constants)
    out.emplace_back("constant", fmt::format("{}, to be found; begins with {}", c.name, c.initial));
  for (const Equation& equation : problem.equations)
    out.emplace_back("equation", fmt::format("{}: {} = 0", equation.name, residual_text(equation)));
  if (const std::string text = interface_text(problem); !text.empty()) {
    out.emplace_back("interfaces", text);
    for (const std::string& condition : interface_condition_texts(problem))
      out.emplace_back("interface", condition);
  }
  if (problem.lagrangian) {
    out.emplace_back("lagrangian", lagrangian_text(problem));
    for (const Equation& equation : understood.trained.equations)
      out.emplace_back("along it",
                       fmt::format("{}: {} = 0", equation.name, to_string(equation.residual, longest_text)));
  }
  out.emplace_back("derivatives",
                   fmt::format("{} (jets of {} channels)", fmt::join(understood.derivatives, ", "),
                               understood.jet_channels));
  for (std::size_t i = 0; i < problem.conditions.size(); ++i) {
    const Condition& c = problem.conditions[i];
    out.emplace_back("condition", fmt::format("{} at {}: {} = {}, {}", c.name, where_text(c),
                                              to_string(c.left, longest_text),
                                              to_string(c.right, longest_text), understood.weight_text(i)));
  }
  out.emplace_back("weights", understood.weights_text());
  for (const auto& [unknown, expression] : problem.network.output)
    out.emplace_back("output", fmt::format("{} = {}", unknown, to_string(expression, longest_text)));
  option("network", network_text(chosen), network_text(problem));
  out.emplace_back("parameters", std::to_string(understood.parameters));
  for (const auto& [unknown, scale] : understood.trained.network.scale) {
    const bool given = problem.network.scale.contains(unknown) && problem.network.offset.contains(unknown);
    out.emplace_back("size", size_text(understood.trained.network, unknown) +
                                 (given ? "" : " (found from conditions and equations where not given)"));
  }
  option("points", points_text(chosen), points_text(problem));
  option("windows", windows_text(chosen.training), windows_text(problem.training));
  out.emplace_back("causal", causal_text(problem.training.causal));
  for (const PhaseOptions& phase : chosen.training.phases)
    option("phase", phase_text(phase), problem.training.phases.empty() ? "" : phase_text(phase));
  option("stops", stop_text(chosen.training.stop), stop_text(problem.training.stop));
  out.emplace_back("precision", arithmetic_text(problem.training));
  out.emplace_back("seed", std::to_string(problem.training.seed));
  out.emplace_back("reference",
                   reference_text(problem.reference) + grid_text(problem, problem.reference.grid));
  for (const std::string& note : detail::problem_notes(problem)) out.emplace_back("note", note);
  return out;
}

/// null for what is not given.
template <class T>
Json optional(bool given, const T& value) {
  return given ? Json(value) : Json();
}

Json conditions_json(const Understood& understood) {
  constexpr const char* roles[] = {"trained", "built_in", "kept_by_output"};
  Json out = Json::array();
  for (std::size_t i = 0; i < understood.chosen.conditions.size(); ++i) {
    const Condition& c = understood.chosen.conditions[i];
    Json where = Json::array();
    for (const auto& [name, value] : c.where) where.push_back({{"coordinate", name}, {"value", value}});
    const std::optional<double> weight = understood.weight(i);
    out.push_back({{"name", c.name},
                   {"where", where},
                   {"text", written(c)},
                   {"left", to_string(c.left, longest_text)},
                   {"right", to_string(c.right, longest_text)},
                   {"role", roles[static_cast<int>(understood.roles[i])]},
                   {"weight", optional(weight.has_value(), weight.value_or(0))}});
  }
  return out;
}

Json network_json(const Understood& understood) {
  const NetworkOptions& n = understood.chosen.network;
  Json output = Json::object(), features = Json::array(), own = Json::object();
  for (const auto& [unknown, layers] : n.own)
    own[unknown] = {{"kind", network_kinds[std::size_t(layers.kind.value_or(n.kind))]},
                    {"depth", layers.depth.value_or(n.depth)},
                    {"width", layers.width.value_or(n.width)},
                    {"activation", activation_name(layers.activation.value_or(n.activation))}};
  for (const auto& [unknown, expression] : n.output) output[unknown] = to_string(expression, longest_text);
  for (const Expr feature : n.features) features.push_back(to_string(feature, longest_text));
  return {
      {"kind", network_kinds[std::size_t(n.kind)]},
      {"depth", n.depth},
      {"width", n.width},
      {"activation", activation_name(n.activation)},
      {"periodic_modes", n.periodic_modes},
      {"normalize", n.normalize},
      {"hard_initial", n.hard_initial ? Json(*n.hard_initial) : Json()},
      {"first_layer_scale", n.first_layer_scale},
      {"initialization", initializations[std::size_t(n.initialization)]},
      {"output_start", output_starts[std::size_t(n.output_start)]},
      {"fourier", {{"frequencies", n.fourier.frequencies}, {"scale", n.fourier.scale}}},
      {"output_damping", n.output_damping},
      {"gaussians",
       {{"count", n.gaussians.count},
        {"width", n.gaussians.width},
        {"placement", placements[std::size_t(n.gaussians.placement)]},
        {"margin", n.gaussians.margin},
        {"covariance", covariances[std::size_t(n.gaussians.covariance)]},
        {"direct", n.gaussians.direct}}},
      {"weight_factorization", n.weight_factorization ? Json{{"mean", n.weight_factorization->mean},
                                                             {"deviation", n.weight_factorization->deviation}}
                                                      : Json()},
      {"own", own},
      {"shared_layers", n.shared_layers},
      {"scale", understood.trained.network.scale},
      {"offset", understood.trained.network.offset},
      {"output", output},
      {"features", features},
      {"symmetry", n.symmetry},
      {"parameters", understood.parameters}};
}

Json lagrangian_json(const Understood& understood) {
  const Problem& p = understood.chosen;
  if (!p.lagrangian) return Json();
  const detail::LagrangianForm form(p);
  Json velocity = Json::object(), labels = Json::object(), equations = Json::object();
  for (int k : form.moving()) {
    const CoordinateRange& c = understood.trained.coordinates[std::size_t(k)];
    velocity[c.name] = to_string(form.velocity(k), longest_text);
    labels[c.name] = {c.low, c.high};
  }
  for (const Equation& e : understood.trained.equations)
    equations[e.name] = to_string(e.residual, longest_text);
  return {{"velocity", velocity},
          {"labels", labels},
          {"derivatives", lagrangian_derivatives[std::size_t(p.lagrangian->derivatives)]},
          {"floor", p.lagrangian->floor},
          {"search", label_searches[std::size_t(p.lagrangian->search)]},
          {"residuals", equations}};
}

Json interfaces_json(const Problem& problem) {
  if (!detail::is_cut(problem)) return Json();
  const detail::CutProblem cut(problem);
  const std::vector<double>& edges = cut.edges();
  Json conditions = Json::array();
  for (const detail::InterfaceCondition& c : cut.conditions())
    conditions.push_back({{"name", c.name},
                          {"place", edges[std::size_t(c.place) + 1]},
                          {"continuous", to_string(c.continuous, longest_text)},
                          {"equation", c.source}});
  return {{"coordinate", cut.coordinate()},
          {"places", std::vector<double>(edges.begin() + 1, edges.end() - 1)},
          {"conditions", conditions}};
}

Json points_json(const PointOptions& points) {
  constexpr const char* samplings[] = {"automatic", "grid", "uniform", "latin_hypercube", "sobol"};
  Json dense = Json::array();
  for (const DenseRegion& d : points.dense)
    dense.push_back(
        {{"coordinate", d.coordinate}, {"centre", d.centre}, {"width", d.width}, {"fraction", d.fraction}});
  return {{"sampling", samplings[static_cast<int>(points.sampling)]},
          {"grid", points.grid},
          {"count", optional(points.sampling != Sampling::grid, points.count)},
          {"condition_points", points.condition_count},
          {"resample_every", optional(points.resample_every > 0, points.resample_every)},
          {"adapt_every", optional(points.adapt_every.value_or(0) > 0, points.adapt_every.value_or(0))},
          {"dense", dense}};
}

Json phases_json(const std::vector<PhaseOptions>& phases) {
  Json out = Json::array();
  for (const PhaseOptions& f : phases) {
    const bool adam = f.optimizer == OptimizerKind::adam;
    out.push_back({{"optimizer", to_string(f.optimizer)},
                   {"iterations", optional(f.iterations > 0, f.iterations)},
                   {"seconds", optional(f.seconds > 0, f.seconds)},
                   {"precision", f.precision ? Json(precision_text(*f.precision)) : Json()},
                   {"stall", {{"factor", f.stall_factor}, {"iterations", f.stall_after()}}},
                   {"geodesic", optional(f.optimizer == OptimizerKind::levenberg_marquardt, f.geodesic)},
                   {"memory", optional(f.optimizer == OptimizerKind::lbfgs, f.memory)},
                   {"learning_rate", optional(adam, f.learning_rate)},
                   {"decay", adam ? Json({{"factor", f.decay_factor},
                                          {"every", f.decay_every},
                                          {"cosine", f.cosine},
                                          {"one_cycle", f.one_cycle},
                                          {"pct_start", f.pct_start},
                                          {"div", f.div},
                                          {"final_div", f.final_div}})
                                  : Json()},
                   {"weight_decay", optional(adam, f.weight_decay)}});
  }
  return out;
}

Json training_json(const Understood& understood) {
  const TrainingOptions& t = understood.chosen.training;
  const CausalOptions& causal = t.causal;
  return {{"precision", precision_text(t.precision)},
          {"products", to_string(t.products)},
          {"seed", t.seed},
          {"points", points_json(t.points)},
          {"windows", optional(t.windows != automatic_windows, t.windows)},
          {"window_ends", t.window_ends},
          {"causal", causal.slices == 0 ? Json()
                                        : Json({{"slices", causal.slices},
                                                {"epsilon", causal.epsilon},
                                                {"stop_above", causal.stop_above}})},
          {"phases", phases_json(t.phases)},
          {"stop",
           {{"seconds", optional(t.stop.seconds > 0, t.stop.seconds)},
            {"iterations", optional(t.stop.iterations > 0, t.stop.iterations)},
            {"loss", optional(t.stop.loss > 0, t.stop.loss)},
            {"relative_l2", optional(t.stop.relative_l2 > 0, t.stop.relative_l2)}}}};
}

Json reference_json(const ReferenceOptions& reference) {
  Json exact = Json::object();
  for (const auto& [unknown, expression] : reference.exact)
    exact[unknown] = to_string(expression, longest_text);
  return {{"exact", exact},
          {"solver", optional(!reference.solver.empty(), reference.solver)},
          {"file", optional(!reference.file.empty(), reference.file.string())},
          {"grid", reference.grid}};
}

Json object_of(const std::string& file, const Problem& problem, const Understood& understood) {
  Json coordinates = Json::array(), equations = Json::array(), unknown_constants = Json::object();
  for (const UnknownConstant& c : problem.unknown_constants)
    unknown_constants[c.name] = {{"initial", c.initial}};
  for (std::size_t k = 0; k < problem.coordinates.size(); ++k) {
    const CoordinateRange& c = problem.coordinates[k];
    coordinates.push_back({{"name", c.name},
                           {"low", c.low},
                           {"high", c.high},
                           {"periodic", c.periodic},
                           {"time", problem.time() == static_cast<int>(k)}});
  }
  for (const Equation& e : problem.equations)
    equations.push_back({{"name", e.name},
                         {"text", written(e)},
                         {"residual", residual_text(e)},
                         {"weight", optional(!understood.automatic_weights, 1.0)}});
  return {{"file", file},
          {"problem", problem.name},
          {"title", problem.title},
          {"unknowns", problem.unknowns},
          {"coordinates", coordinates},
          {"constants", problem.constants},
          {"unknown_constants", unknown_constants},
          {"equations", equations},
          {"derivatives", understood.derivatives},
          {"jet_channels", understood.jet_channels},
          {"conditions", conditions_json(understood)},
          {"automatic_weights", understood.automatic_weights},
          {"network", network_json(understood)},
          {"interfaces", interfaces_json(problem)},
          {"lagrangian", lagrangian_json(understood)},
          {"training", training_json(understood)},
          {"reference", reference_json(problem.reference)},
          {"notes", detail::problem_notes(problem)}};
}
}  // namespace

int run_check(const CheckCommand& command) {
  const std::filesystem::path path = find_problem(command.problem);
  const Problem problem = Problem::from_file(path, command.overrides);
  const Understood understood = understand(problem);
  check_reference(problem);
  if (command.json) {
    print_json(object_of(path.string(), problem, understood));
    return done;
  }
  print("{}: no errors\n", path.string());
  for (const auto& [name, text] : lines_of(problem, understood)) print("  {:<12} {}\n", name, text);
  return done;
}

}  // namespace sobolev::app
