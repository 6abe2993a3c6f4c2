// SPDX-License-Identifier: Apache-2.0
// check, list and info.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/results.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/jet/spec.hpp"
#include "src/pinn/defaults.hpp"
#include "src/pinn/initial_data.hpp"

namespace sobolev::app {
namespace {
using Json = nlohmann::ordered_json;

MultiIndex multi_index(const Problem& problem, const Derivative& derivative) {
  MultiIndex alpha;
  for (const auto& [name, order] : derivative)
    for (std::size_t k = 0; k < problem.coordinates.size(); ++k)
      if (problem.coordinates[k].name == name)
        alpha.order[k] = static_cast<std::uint8_t>(std::min(order, 255));
  return alpha;
}

/// The derivatives that the equations contain, and the channels of the jet that carries them.
std::pair<std::vector<std::string>, int> needed(const Problem& problem) {
  std::vector<Expr> residuals;
  for (const Equation& equation : problem.equations) residuals.push_back(equation.residual);
  std::vector<std::string> names;
  std::vector<MultiIndex> indices;
  for (const Expr field : fields_of(residuals)) {
    names.push_back(to_string(field));
    indices.push_back(multi_index(problem, field->derivative));
  }
  std::sort(names.begin(), names.end());
  return {names, JetSpec::closure(static_cast<int>(problem.coordinates.size()), indices).channels()};
}

/// Expressions can be exponentially long as text: shared parts are written out at each of their places.
std::string text_of(Expr e) {
  constexpr std::size_t longest = 2000;
  return to_string(e, longest);
}

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

/// Name and text, in the order in which they are printed.
std::vector<std::pair<std::string, std::string>> understood(const Problem& problem) {
  std::vector<std::pair<std::string, std::string>> out;
  out.emplace_back("problem", problem.title.empty() ? problem.name : problem.title);
  out.emplace_back("unknowns", fmt::format("{}", fmt::join(problem.unknowns, ", ")));
  for (std::size_t k = 0; k < problem.coordinates.size(); ++k)
    out.emplace_back("coordinate", range_text(problem.coordinates[k], problem.time() == static_cast<int>(k)));
  for (const auto& [name, value] : problem.constants)
    out.emplace_back("constant", fmt::format("{} = {}", name, value));
  for (const Equation& equation : problem.equations)
    out.emplace_back("equation", fmt::format("{}: {} = 0", equation.name, text_of(equation.residual)));
  const auto [derivatives, channels] = needed(problem);
  out.emplace_back("derivatives",
                   fmt::format("{} (jets of {} channels)", fmt::join(derivatives, ", "), channels));
  for (const Condition& c : problem.conditions)
    out.emplace_back("condition",
                     fmt::format("{} at {}: {} = {}, weight {}", c.name, where_text(c), text_of(c.left),
                                 text_of(c.right), c.weight ? fmt::format("{:g}", *c.weight) : "automatic"));
  for (const auto& [unknown, expression] : problem.network.output)
    out.emplace_back("output", fmt::format("{} = {}", unknown, text_of(expression)));
  const Problem chosen = detail::with_defaults(problem);
  const auto option = [&](const std::string& name, const std::string& text, const std::string& given) {
    out.emplace_back(name, text == given ? text : text + " (default where not given)");
  };
  option("network", network_text(chosen), network_text(problem));
  option("points", points_text(chosen), points_text(problem));
  out.emplace_back("windows", std::to_string(problem.training.windows));
  for (const PhaseOptions& phase : chosen.training.phases)
    option("phase", phase_text(phase), problem.training.phases.empty() ? "" : phase_text(phase));
  option("stops", stop_text(chosen.training.stop), stop_text(problem.training.stop));
  out.emplace_back("precision", arithmetic_text(problem.training));
  out.emplace_back("seed", std::to_string(problem.training.seed));
  out.emplace_back("reference", reference_text(problem.reference));
  for (const std::string& note : detail::problem_notes(problem)) out.emplace_back("note", note);
  return out;
}

/// What the comment "# Source: ..." of a zoo file says, with its continuation lines.
std::string source_of(const std::string& text) {
  constexpr std::string_view mark = "# Source: ";
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  std::string out;
  for (std::size_t begin = at + mark.size();;) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (!out.empty()) out += ' ';
    out.append(text, begin, end - begin);
    if (text.compare(std::min(end + 1, text.size()), 2, "# ") != 0) return out;
    begin = end + 3;
  }
}
}  // namespace

int run_check(const CheckCommand& command) {
  const std::filesystem::path path = find_problem(command.problem);
  const auto lines = understood(Problem::from_file(path, command.overrides));
  if (!command.json) {
    fmt::print("{}: no errors\n", path.string());
    for (const auto& [name, text] : lines) fmt::print("  {:<12} {}\n", name, text);
    return done;
  }
  Json object = {{"file", path.string()}};
  for (const auto& [name, text] : lines) {
    if (!object.contains(name))
      object[name] = text;
    else if (object[name].is_array())
      object[name].push_back(text);
    else
      object[name] = Json::array({object[name], text});
  }
  print_json(object);
  return done;
}

int run_list(bool json) {
  Json problems = Json::array();
  for (const auto& [name, path] : zoo()) {
    const Problem problem = Problem::from_file(path);
    problems.push_back({{"name", name},
                        {"title", problem.title},
                        {"source", source_of(read_file(path))},
                        {"file", path.string()}});
  }
  if (json) {
    print_json({{"problems", problems}});
    return done;
  }
  std::size_t width = 0;
  for (const Json& problem : problems) width = std::max(width, problem["name"].get<std::string>().size());
  for (const Json& problem : problems) {
    fmt::print("{:<{}}  {}\n", problem["name"].get<std::string>(), width,
               problem["title"].get<std::string>());
    if (const auto source = problem["source"].get<std::string>(); !source.empty())
      fmt::print("{:<{}}    {}\n", "", width, source);
  }
  return done;
}

int run_info(bool json) {
#if SOBOLEV_HAS_CUDA
  const Json cuda = cuda_device_names();
  std::string text = cuda.empty() ? "no device" : "";
  for (std::size_t i = 0; i < cuda.size(); ++i)
    text += fmt::format("{}cuda:{} {}", i > 0 ? ", " : "", i, cuda[i].get<std::string>());
#else
  const Json cuda = "off";
  const std::string text = "off";
#endif
  const Json object = {{"version", version()},
                       {"processor", Cpu::processor()},
                       {"instruction_set", Cpu::instruction_set()},
                       {"threads", Cpu().threads()},
                       {"cuda", cuda}};
  if (json) {
    print_json(object);
    return done;
  }
  fmt::print(
      "sobolev {}\nprocessor        {}\ninstruction set  {}\nthreads          {}\nCUDA             {}\n",
      version(), Cpu::processor(), Cpu::instruction_set(), Cpu().threads(), text);
  return done;
}

}  // namespace sobolev::app
