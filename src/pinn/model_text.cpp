// SPDX-License-Identifier: Apache-2.0
// What a reader of a checkpoint needs besides the weights: inputs, symmetry and the form of the solution.
#include "model_text.hpp"

#include <nlohmann/json.hpp>

#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"
#include "src/problem/problem_checks.hpp"
#include "window_model.hpp"

namespace sobolev::detail {
namespace {
nlohmann::json inputs_of(const WindowModel& model, const Problem& problem) {
  nlohmann::json inputs = nlohmann::json::array();
  const Features features = model.features();
  for (const Features::Item& item : features.items()) {
    using Kind = Features::Item::Kind;
    if (item.kind == Kind::expression) {
      inputs.push_back({{"expression", file_text(item.e).value_or("")}});
      continue;
    }
    const std::string& name = problem.coordinates[std::size_t(item.coordinate)].name;
    if (item.kind == Kind::linear)
      inputs.push_back({{"coordinate", name}, {"scale", item.scale}, {"shift", item.shift}});
    else
      inputs.push_back({{"coordinate", name}, {"modes", item.modes}, {"frequency", item.scale}});
  }
  return inputs;
}
nlohmann::json network_of_model(const Network& network) {
  constexpr const char* kinds[] = {"dense", "gate", "blend", "output", "gaussian"};
  nlohmann::json steps = nlohmann::json::array();
  const std::vector<std::string> names = network.names();
  for (const Instruction& i : network.instructions()) {
    if (i.fan_in == 0) continue;  // constants, named below
    nlohmann::json step = {{"kind", kinds[static_cast<int>(i.kind)]}, {"in", nlohmann::json::array()}};
    for (int slot : i.in)
      if (slot >= 0) step["in"].push_back(slot);
    if (i.kind == Instruction::Kind::dense) step["activation"] = activations[static_cast<int>(i.activation)];
    if (const std::string& name = names[std::size_t(&i - network.instructions().data())]; !name.empty())
      step["name"] = name;
    steps.push_back(std::move(step));
  }
  return steps;
}
}  // namespace

std::string model_text(const Problem& asked, const Problem& problem, int windows) {
  nlohmann::json out = {{"unknowns", problem.unknowns},
                        {"coordinates", nlohmann::json::array()},
                        {"activation", activations[static_cast<int>(problem.network.activation)]},
                        {"network", network_of_model(network_of(problem))},
                        {"windows", nlohmann::json::array()}};
  for (const CoordinateRange& c : problem.coordinates) out["coordinates"].push_back(c.name);
  for (const UnknownConstant& c : problem.unknown_constants)
    out["constants"].push_back({{"name", c.name}, {"unit", c.unit()}});
  // The coordinates are labels then, and x = X + displacement.
  if (asked.lagrangian) {
    const LagrangianForm form(asked);
    for (int k : form.moving()) {
      const std::string& name = asked.coordinates[std::size_t(k)].name;
      out["lagrangian"][name] = displacement_name(name);
    }
  }
  // Unknowns are those of pieces then, and the coordinate that is cut runs from 0 to 1 in each.
  if (is_cut(asked)) {
    const CutProblem cut(asked);
    out["interfaces"] = {{"coordinate", cut.coordinate()}, {"edges", cut.edges()}};
  }
  for (int w = 0; w < windows; ++w) {
    const WindowModel model(problem, w);
    if (w == 0)
      for (const Symmetry& s : model.symmetry())
        out["symmetry"][problem.coordinates[std::size_t(s.coordinate)].name] = s.sign;
    nlohmann::json window = {{"inputs", inputs_of(model, problem)}};
    if (problem.time() >= 0) window["range"] = {model.start(), model.end()};
    for (const std::string& u : problem.unknowns)
      window["solution"][u] = file_text(model.form(u, "N_", "start_")).value_or("");
    out["windows"].push_back(std::move(window));
  }
  return out.dump();
}

}  // namespace sobolev::detail
