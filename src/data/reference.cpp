// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sobolev/expression/tape.hpp"
#include "sobolev/io/npy.hpp"
#include "sobolev/problem/points.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev {
namespace {

std::size_t grid_size(const std::vector<std::vector<double>>& axes) {
  std::size_t n = 1;
  for (const auto& axis : axes) n *= axis.size();
  return n;
}

/// The grid that the problem asks for.
std::vector<std::vector<double>> reference_axes(const Problem& problem) {
  const std::size_t dims = problem.coordinates.size();
  std::vector<std::vector<double>> axes;
  for (const auto& c : problem.coordinates) {
    const auto given = problem.reference.grid.find(c.name);
    PointRequest request;
    request.ranges = {c};
    request.sampling = Sampling::grid;
    request.grid = {given != problem.reference.grid.end() ? given->second
                                                          : default_grid_points(dims, c.periodic)};
    require(request.grid[0] >= 1, fmt::format("reference: the grid has {} points in {}; 1 or more are needed",
                                              request.grid[0], c.name));
    axes.push_back(sample_points(request));
  }
  return axes;
}

Reference exact_reference(const Cpu& cpu, const Problem& problem) {
  Reference out;
  out.axes = reference_axes(problem);
  out.source = "exact";
  const std::size_t n = grid_size(out.axes), dims = out.axes.size();
  std::vector<Expr> inputs, outputs;
  for (const auto& c : problem.coordinates) inputs.push_back(coordinate(c.name));
  std::vector<std::string> names;  // unknowns may be left out
  for (const auto& name : problem.unknowns) {
    const auto found = problem.reference.exact.find(name);
    if (found == problem.reference.exact.end()) continue;
    require(
        !contains_fields(found->second),
        fmt::format("reference: the exact expression of {}, {}, contains an unknown; only coordinates and "
                    "constants may stand there",
                    name, to_string(found->second, detail::shown_expression)));
    names.push_back(name);
    outputs.push_back(found->second);
  }
  require(!names.empty(), fmt::format("reference: reference.exact gives none of the unknowns {}",
                                      fmt::join(problem.unknowns, ", ")));
  std::vector<double> x(dims * n), y(outputs.size() * n);
  std::size_t stride = n;
  for (std::size_t d = 0; d < dims; ++d) {
    stride /= out.axes[d].size();
    for (std::size_t i = 0; i < n; ++i) x[d * n + i] = out.axes[d][i / stride % out.axes[d].size()];
  }
  tape_forward<double>(cpu, compile(outputs, inputs), View<const double, 2>(x.data(), dims, n),
                       View<double, 2>(y.data(), outputs.size(), n));
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const double* values = y.data() + o * n;
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isfinite(values[i])) continue;
      std::string place;
      for (std::size_t d = 0; d < dims; ++d)
        place += fmt::format("{}{} = {}", d == 0 ? "" : ", ", problem.coordinates[d].name, x[d * n + i]);
      throw ArgumentError(
          fmt::format("reference: the exact expression of {} is {} at {}; write it so that it is "
                      "finite on the whole grid",
                      names[o], values[i], place));
    }
    out.values[names[o]].assign(values, values + n);
  }
  return out;
}

constexpr std::size_t longest_axis = 10'000'000;

Tensor array_of(const NpzFile& arrays, const std::string& name, const std::filesystem::path& file,
                std::size_t most_values) {
  const std::vector<std::string> names = arrays.names();
  require(
      std::find(names.begin(), names.end(), name) != names.end(),
      fmt::format("reference: {} has no array {}; it has {}. One array for each coordinate and each "
                  "unknown is needed",
                  file.string(), name, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  return arrays.read(name, most_values);
}

Reference file_reference(const Problem& problem) {
  const auto& file = problem.reference.file;
  const NpzFile arrays(file);
  Reference out;
  out.source = file.string();
  std::vector<std::size_t> shape;
  for (const auto& c : problem.coordinates) {
    const Tensor axis = array_of(arrays, c.name, file, longest_axis);
    require(
        axis.shape.size() == 1 && !axis.values.empty(),
        fmt::format("reference: array {} of {} has the shape [{}]; the values of a coordinate are one list",
                    c.name, file.string(), fmt::join(axis.shape, ", ")));
    const double slack = 1e-9 * (c.high - c.low);
    for (std::size_t i = 0; i < axis.values.size(); ++i)
      require(axis.values[i] >= c.low - slack && axis.values[i] <= c.high + slack &&
                  (i == 0 || axis.values[i] > axis.values[i - 1]),
              fmt::format("reference: {}[{}] = {} in {}; the values must ascend within [{}, {}]", c.name, i,
                          axis.values[i], file.string(), c.low, c.high));
    out.axes.push_back(axis.values);
    shape.push_back(axis.values.size());
  }
  for (const auto& name : problem.unknowns) {
    const Tensor values = array_of(arrays, name, file, grid_size(out.axes));
    require(
        values.shape == shape,
        fmt::format(
            "reference: array {} of {} has the shape [{}], but its coordinates make [{}], in the order of "
            "the problem's coordinates",
            name, file.string(), fmt::join(values.shape, ", "), fmt::join(shape, ", ")));
    for (double v : values.values)
      require(std::isfinite(v), fmt::format("reference: array {} of {} contains {}", name, file.string(), v));
    out.values[name] = values.values;
  }
  return out;
}

}  // namespace

Reference make_reference(const Cpu& cpu, const Problem& problem) {
  const auto& asked = problem.reference;
  require(asked.given(), "reference: the problem gives none; add exact, solver or file to [reference]");
  if (!asked.exact.empty()) return exact_reference(cpu, problem);
  if (!asked.file.empty()) {
    try {
      return file_reference(problem);
    } catch (const Error& error) {  // at the key or the option that names the file
      const auto key = problem.positions.find("reference.file");
      if (key == problem.positions.end()) throw;
      throw ParseError(key->second, error.what());
    }
  }
  require(asked.solver == "etdrk4",
          fmt::format("reference: no solver \"{}\"; \"etdrk4\" is the one there is", asked.solver));
  try {
    return solve_etdrk4(cpu, problem, reference_axes(problem));
  } catch (const ArgumentError& error) {
    if (problem.positions.count("reference.solver") == 0) throw;
    detail::fail(problem, "reference.solver", error.what());
  }
}

int default_grid_points(std::size_t dimensions, bool periodic) {
  if (dimensions <= 2) return periodic ? 128 : 101;
  if (dimensions == 3) return periodic ? 48 : 41;
  return std::clamp(int(std::pow(1e5, 1.0 / double(dimensions))), 3, 16);
}

}  // namespace sobolev
