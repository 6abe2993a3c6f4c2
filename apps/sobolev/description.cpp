// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sobolev/core/random.hpp"
#include "src/pinn/window_model.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"

namespace sobolev::app {
namespace {
/// True when the form of the solution alone decides the condition: at its place the residual does not change
/// with the network's outputs, to rounding beside how it does elsewhere, at random points.
bool kept_by_output(const Problem& problem, const detail::WindowModel& model, const Condition& condition) {
  const Expr residual = model.lower(condition.left - condition.right);
  const std::vector<Expr> outputs = fields_of(std::array{residual});
  const Philox random(1, 78);
  std::uint64_t counter = 0;
  double there = 0, elsewhere = 0;
  for (int trial = 0; trial < 4; ++trial) {
    std::vector<std::pair<Expr, double>> at, anywhere;
    for (const CoordinateRange& c : problem.coordinates) {
      const double x = c.low + (c.high - c.low) * random.uniform(counter++);
      const auto fixed = std::find_if(condition.where.begin(), condition.where.end(),
                                      [&](const auto& w) { return w.first == c.name; });
      anywhere.emplace_back(coordinate(c.name), x);
      at.emplace_back(coordinate(c.name), fixed == condition.where.end() ? x : fixed->second);
    }
    for (const Expr output : outputs) {
      at.emplace_back(output, random.normal(counter++));
      anywhere.push_back(at.back());
    }
    for (const Expr output : outputs) {
      const Expr sensitivity = partial(residual, output);
      there = std::max(there, std::abs(evaluate(sensitivity, at)));
      elsewhere = std::max(elsewhere, std::abs(evaluate(sensitivity, anywhere)));
    }
  }
  return there <= 1e-10 * elsewhere;
}
}  // namespace

std::string precision_text(Precision precision) { return precisions[std::size_t(precision)]; }

std::string arithmetic_text(const TrainingOptions& training) {
  const std::string precision = precision_text(training.precision);
  return training.products == Products::ieee
             ? precision
             : fmt::format("{}, products {} on a CUDA device", precision, to_string(training.products));
}

std::string activation_name(Activation activation) { return activations[std::size_t(activation)]; }

std::string network_text(const Problem& problem) {
  const NetworkOptions& n = problem.network;
  const auto size = [](int value) { return value == 0 ? std::string("default") : std::to_string(value); };
  std::string out = network_kinds[std::size_t(n.kind)];
  if (n.kind != NetworkKind::gaussian || n.depth > 0)
    out +=
        fmt::format(", depth {}, width {}, {}", size(n.depth), size(n.width), activation_name(n.activation));
  for (const CoordinateRange& c : problem.coordinates)
    if (c.periodic) {
      out += fmt::format(", {} periodic modes", size(n.periodic_modes));
      break;
    }
  if (!n.features.empty())
    out += fmt::format(", {} extra input{}", n.features.size(), n.features.size() == 1 ? "" : "s");
  for (const auto& [name, sign] : n.symmetry)
    out += fmt::format(", {} in {}", sign > 0 ? "even" : "odd", name);
  if (n.gaussians.count > 0)
    out += fmt::format(", {} Gaussians{}{}", n.gaussians.count,
                       n.gaussians.placement == Placement::lattice ? " on a lattice" : "",
                       n.gaussians.covariance == Covariance::full ? " of full covariance" : "");
  if (n.fourier.frequencies > 0) out += fmt::format(", {} random Fourier frequencies", n.fourier.frequencies);
  if (n.initialization == Initialization::siren) out += ", weights as in SIREN";
  if (n.output_start == OutputStart::least_squares) out += ", outputs by least squares at the start";
  if (n.weight_factorization) out += ", weights factorised";
  if (!n.output.empty()) out += ", output transform";
  if (n.shared_layers > 0) out += fmt::format("; {} layers shared", n.shared_layers);
  for (const auto& [unknown, own] : n.own)
    out += fmt::format("; {} by itself: {}, depth {}, width {}, {}", unknown,
                       network_kinds[std::size_t(own.kind.value_or(n.kind))],
                       size(own.depth.value_or(n.depth)), size(own.width.value_or(n.width)),
                       activation_name(own.activation.value_or(n.activation)));
  return out;
}

std::string size_text(const NetworkOptions& network, const std::string& unknown) {
  const double offset = network.offset.at(unknown), scale = network.scale.at(unknown);
  const std::string sum = offset == 0 ? "" : fmt::format("{:g} + ", offset);
  const std::string factor = scale == 1 ? "" : fmt::format("{:g} times ", scale);
  return fmt::format("{} = {}{}a network output of order one", unknown, sum, factor);
}

std::string lagrangian_text(const Problem& problem) {
  if (!problem.lagrangian) return "";
  std::string out;
  const detail::LagrangianForm form(problem);
  for (int k : form.moving()) {
    const std::string& name = problem.coordinates[std::size_t(k)].name;
    out +=
        fmt::format("{}{}_t = {}", out.empty() ? "" : ", ", name, to_string(form.velocity(k), longest_text));
    if (const auto labels = problem.lagrangian->labels.find(name); labels != problem.lagrangian->labels.end())
      out += fmt::format(" with labels in [{:g}, {:g}]", labels->second.first, labels->second.second);
  }
  return fmt::format("{}; derivatives by {}, floor {:g}, search {}", out,
                     lagrangian_derivatives[std::size_t(problem.lagrangian->derivatives)],
                     problem.lagrangian->floor, label_searches[std::size_t(problem.lagrangian->search)]);
}

std::string comparison_text(const Comparison& c) {
  return c.accuracy < c.difference
             ? fmt::format("{:.2e} from a second solution, by collocation, which is known to {:.1g}",
                           c.difference, c.accuracy)
             : fmt::format(
                   "agrees with a second solution, by collocation, as well as that is known: to {:.1g}",
                   c.accuracy);
}

std::string points_text(const Problem& problem) {
  const PointOptions& p = problem.training.points;
  std::string out;
  switch (p.sampling) {
    case Sampling::automatic: out = "chosen by the library"; break;
    case Sampling::uniform: out = fmt::format("{} uniform", p.count); break;
    case Sampling::latin_hypercube: out = fmt::format("{} in a latin hypercube", p.count); break;
    case Sampling::sobol: out = fmt::format("{} of a Sobol sequence", p.count); break;
    case Sampling::grid:
      for (const CoordinateRange& c : problem.coordinates)
        out += fmt::format("{}{} in {}", out.empty() ? "grid of " : " x ", p.grid.at(c.name), c.name);
  }
  if (p.condition_count > 0) out += fmt::format(", {} for each condition", p.condition_count);
  if (p.resample_every > 0) out += fmt::format(", new ones every {} iterations", p.resample_every);
  if (p.adapt_every.value_or(0) > 0)
    out += fmt::format(", moved every {} iterations if need be", *p.adapt_every);
  for (const DenseRegion& d : p.dense)
    out +=
        fmt::format(", {:g} % within {:g} of {} = {:g}", 100 * d.fraction, d.width, d.coordinate, d.centre);
  return out;
}

std::string phase_text(const PhaseOptions& phase) {
  std::string out = to_string(phase.optimizer);
  if (phase.iterations > 0) out += fmt::format(", {} iterations", phase.iterations);
  if (phase.seconds > 0) out += fmt::format(", {:g} s", phase.seconds);
  if (phase.optimizer == OptimizerKind::adam)
    out += fmt::format(", learning rate {:g}, {}{}", phase.learning_rate,
                       phase.cosine > 0 ? fmt::format("along half a cosine of {}", phase.cosine)
                       : phase.one_cycle > 0
                           ? fmt::format("in one cycle of {}", phase.one_cycle)
                           : fmt::format("times {:g} every {}", phase.decay_factor, phase.decay_every),
                       phase.weight_decay > 0 ? fmt::format(", weight decay {:g}", phase.weight_decay) : "");
  else if (phase.optimizer == OptimizerKind::lbfgs)
    out += fmt::format(", {} pairs in memory", phase.memory);
  else if (!phase.geodesic)
    out += ", without geodesic acceleration";
  if (phase.precision) out += std::string(", ") + precision_text(*phase.precision);
  return out;
}

std::string reference_text(const ReferenceOptions& reference) {
  if (!reference.file.empty()) return reference.file.string();
  if (!reference.solver.empty()) return reference.solver;
  return reference.exact.empty() ? "none: no error is reported" : "exact solution";
}

std::string title_of(const Problem& problem) { return problem.title.empty() ? problem.name : problem.title; }

std::string range_text(const CoordinateRange& c, bool time) {
  return fmt::format("{} in [{:g}, {:g}]{}{}", c.name, c.low, c.high, c.periodic ? ", periodic" : "",
                     time ? ", time" : "");
}

std::string where_text(const Condition& condition) {
  std::string out;
  for (const auto& [name, value] : condition.where)
    out += fmt::format("{}{} = {:g}", out.empty() ? "" : ", ", name, value);
  return out;
}

std::string place_text(const Problem& problem, const std::vector<double>& place) {
  std::string out;
  for (std::size_t k = 0; k < place.size() && k < problem.coordinates.size(); ++k)
    out += fmt::format("{}{} = {:.4g}", k == 0 ? "" : ", ", problem.coordinates[k].name, place[k]);
  return out;
}

std::string residual_text(const Equation& equation) {
  return to_string(equation.kept.value_or(equation.residual), longest_text);
}

std::string interface_text(const Problem& problem) {
  if (!detail::is_cut(problem)) return "";
  const detail::CutProblem cut(problem);
  const std::vector<double>& edges = cut.edges();
  return fmt::format("the domain is cut at {} = {:g} into {} pieces", cut.coordinate(),
                     fmt::join(edges.begin() + 1, edges.end() - 1, ", "), cut.pieces());
}

std::vector<std::string> interface_condition_texts(const Problem& problem) {
  std::vector<std::string> out;
  if (!detail::is_cut(problem)) return out;
  const detail::CutProblem cut(problem);
  for (const detail::InterfaceCondition& c : cut.conditions())
    out.push_back(fmt::format("{} at {} = {:g}: {} is continuous (by equation {})", c.name, cut.coordinate(),
                              cut.edges()[std::size_t(c.place) + 1], to_string(c.continuous, longest_text),
                              c.source));
  return out;
}

std::string written(const Equation& equation) {
  return equation.text.empty() ? residual_text(equation) + " = 0" : equation.text;
}

std::string written(const Condition& condition) {
  return condition.text.empty()
             ? to_string(condition.left, longest_text) + " = " + to_string(condition.right, longest_text)
             : condition.text;
}

std::string stop_text(const StopOptions& stop) {
  std::string out;
  const auto add = [&](bool given, const std::string& text) {
    out += given ? (out.empty() ? "" : ", or ") + text : "";
  };
  add(stop.seconds > 0, fmt::format("after {:g} s", stop.seconds));
  add(stop.iterations > 0, fmt::format("after {} iterations", stop.iterations));
  add(stop.loss > 0, fmt::format("at loss {:g}", stop.loss));
  add(stop.relative_l2 > 0, fmt::format("at relative L2 error {:g}", stop.relative_l2));
  return out.empty() ? "when every phase has ended" : out;
}

std::string windows_text(const TrainingOptions& training) {
  const std::vector<double>& ends = training.window_ends;
  if (training.windows != automatic_windows) {
    if (training.windows == 0) return "";
    return ends.empty() ? std::to_string(training.windows)
                        : fmt::format("{}, which end at {:.4g}", training.windows, fmt::join(ends, ", "));
  }
  constexpr std::size_t most_shown = 12;
  if (ends.empty()) return "chosen while training";
  const std::vector<double> shown(ends.begin(),
                                  ends.begin() + std::ptrdiff_t(std::min(ends.size(), most_shown)));
  return fmt::format("{}, chosen while training, which end at {:.4g}{}", ends.size(), fmt::join(shown, ", "),
                     ends.size() > most_shown ? ", …" : "");
}

std::string causal_text(const CausalOptions& causal) {
  if (causal.slices == 0) return "none";
  return fmt::format("{} slices, epsilon {:g}, stop above {:g}", causal.slices,
                     fmt::join(causal.epsilon, ", "), causal.stop_above);
}

Understood understand(const Problem& problem) {
  Understood out;
  out.chosen = detail::with_defaults(problem);
  out.trained = detail::trained_problem(out.chosen);
  const Problem& p = out.trained;
  const detail::WindowModel model(p, 0);
  out.parameters = model.network().parameters();

  std::vector<Expr> residuals;
  for (const Equation& equation : p.equations) residuals.push_back(equation.residual);
  for (const Expr field : fields_of(residuals))
    if (field->role == sobolev::Role::unknown) out.derivatives.push_back(to_string(field));
  std::sort(out.derivatives.begin(), out.derivatives.end());
  out.jet_channels = model.compile("equations", residuals).group.jet.channels();

  for (std::size_t i = 0; i < out.chosen.conditions.size(); ++i) {
    const Condition* const c = detail::trained_condition(out.chosen, p, i);
    out.roles.push_back(c == nullptr                   ? Role::kept_by_output
                        : model.imposed(*c)            ? Role::built_in
                        : kept_by_output(p, model, *c) ? Role::kept_by_output
                                                       : Role::trained);
  }
  for (std::size_t i = 0; i < out.roles.size(); ++i)
    out.automatic_weights =
        out.automatic_weights && !(out.roles[i] == Role::trained && out.chosen.conditions[i].weight);
  return out;
}

std::optional<double> Understood::weight(std::size_t condition) const {
  if (roles[condition] != Role::trained || automatic_weights) return {};
  return chosen.conditions[condition].weight.value_or(detail::unscaled_condition);
}

std::string Understood::weight_text(std::size_t condition) const {
  switch (roles[condition]) {
    case Role::built_in: return "built into the output";
    case Role::kept_by_output: return "kept by network.output";
    case Role::trained: break;
  }
  if (automatic_weights) return "weight automatic";
  return fmt::format("weight {:g}{}", *weight(condition),
                     chosen.conditions[condition].weight ? "" : " (it has none, another condition has one)");
}

std::string Understood::weights_text() const {
  return automatic_weights
             ? fmt::format(
                   "automatic: by the size of each residual's derivatives at the start; conditions count "
                   "{:g} times",
                   detail::condition_weight)
             : fmt::format("as given: equations 1, conditions without a weight {:g}; nothing is scaled",
                           detail::unscaled_condition);
}

}  // namespace sobolev::app
