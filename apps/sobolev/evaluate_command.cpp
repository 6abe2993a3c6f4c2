// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/outside_domain.hpp"
#include "apps/sobolev/results.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/npy.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev::app {
namespace {
/// "u, d(u, x, x)" at the commas outside parentheses.
std::vector<std::string> split_outputs(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = begin;
    for (int depth = 0; end < text.size() && (text[end] != ',' || depth > 0); ++end)
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    const std::size_t first = text.find_first_not_of(" \t", begin);
    const std::string name =
        first < end ? text.substr(first, text.find_last_not_of(" \t", end - 1) - first + 1) : "";
    if (name.empty())
      throw ArgumentError(fmt::format("--outputs \"{}\": an output is empty; e.g. \"u,u_x\"", text));
    out.push_back(name);
    begin = end + 1;
  }
  return out;
}

Solution read_solution(const EvaluateCommand& command) {
  const bool from_run = !command.run.empty();
  const bool from_weights = !command.problem.empty() || !command.weights.empty();
  if (from_run == from_weights)
    throw ArgumentError("give either RUN_DIR, or --problem FILE with --weights FILE.safetensors");
  if (from_run && !command.overrides.empty())
    throw ArgumentError("--set changes a problem file; a run keeps the settings it was trained with");
  if (from_run) {
    std::error_code status;
    return load_checkpoint(std::filesystem::is_directory(command.run, status) ? command.run / checkpoint_name
                                                                              : command.run);
  }
  if (command.problem.empty() || command.weights.empty())
    throw ArgumentError(fmt::format("--{} is missing", command.problem.empty() ? "problem" : "weights"));
  return Solution::from_weights(Problem::from_file(find_problem(command.problem), command.overrides),
                                command.weights);
}

/// [N, D]; [N] where there is one coordinate.
Tensor read_points(const EvaluateCommand& command, const Problem& problem) {
  Tensor points = read_npy(command.points);
  const std::size_t columns = problem.coordinates.size();
  if (points.shape.size() == 1 && columns == 1) points.shape.push_back(1);
  std::string names;
  for (const CoordinateRange& c : problem.coordinates) names += (names.empty() ? "" : ", ") + c.name;
  if (points.shape.size() != 2 || points.shape[1] != columns)
    throw FileError(fmt::format("{} has shape [{}]; the problem needs [N, {}], columns {}",
                                command.points.string(), fmt::join(points.shape, ", "), columns, names));
  return points;
}

std::vector<std::vector<double>> evaluate_on(const DeviceChoice& device, const Cpu& host,
                                             const Solution& solution, View<const double, 2> points,
                                             const std::vector<std::string>& outputs) {
#if SOBOLEV_HAS_CUDA
  if (device.cuda) return solution.evaluate(Cuda(device.index), points, outputs, host);
#endif
  static_cast<void>(device);
  return solution.evaluate(host, points, outputs);
}
}  // namespace

int run_evaluate(const EvaluateCommand& command) {
  if (!command.input.empty()) return run_apply(command);
  if (command.steps) throw ArgumentError("--steps is of a model of an operator: give --input FILE too");
  if (command.points.empty() || command.outputs.empty())
    throw ArgumentError("give --points and --outputs of a solution, or --input of a model of an operator");
  const DeviceChoice device = parse_device(command.device);
  const std::vector<std::string> outputs = split_outputs(command.outputs);
  const Cpu host(command.threads);
  const Solution solution = read_solution(command);
  const Tensor points = read_points(command, solution.problem());
  const std::filesystem::path target = check_replaceable(command.out);
  require_writable(target.has_parent_path() ? target.parent_path() : ".");

  const View<const double, 2> view(points.values.data(), points.shape[0], points.shape[1]);
  if (const std::string warning = outside_domain(solution.problem(), view); !warning.empty())
    fmt::print(stderr, "sobolev: warning: {}\n", warning);
  std::vector<std::vector<double>> values = evaluate_on(device, host, solution, view, outputs);
  NamedTensors arrays;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    arrays.push_back({outputs[i], {{points.shape[0]}, std::move(values[i])}});
  write_npz(command.out, arrays);
  if (command.json)
    print_json({{"problem", solution.problem().name},
                {"points", points.shape[0]},
                {"outputs", outputs},
                {"out", command.out.string()}});
  else if (!command.quiet)
    print("{} points, {} outputs: {}\n", points.shape[0], outputs.size(), command.out.string());
  return done;
}

}  // namespace sobolev::app
