// SPDX-License-Identifier: Apache-2.0
// What a program of a user's own may want of the library: a problem of the zoo solved, saved, loaded and
// shown, a kernel on buffers of its own, a reference solution, numbers on a device where the build has one.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numbers>
#include <vector>

#include "sobolev/core/random.hpp"
#include "sobolev/data/reference.hpp"
#include "sobolev/io/array_file.hpp"
#include "sobolev/io/npy.hpp"
#include "sobolev/io/report.hpp"
#include "sobolev/network/network.hpp"
#include "sobolev/pinn/solve.hpp"

using namespace sobolev;

namespace {
bool good = true;
void check(bool holds, const char* what) {
  std::printf("%s: %s\n", what, holds ? "ok" : "WRONG");
  good = good && holds;
}

void problem_file(const std::filesystem::path& folder) {
  const std::filesystem::path path = find_problem("heat");
  std::printf("heat is %s\n", path.c_str());
  const Problem problem = Problem::from_file(path, {"training.stop={ iterations = 15 }", "network.width=12"});
  const Solution solution = solve(Cpu(1), problem);
  solution.save(folder / "heat.safetensors");
  const Solution loaded = Solution::load(folder / "heat.safetensors");
  check(loaded.relative_l2().at("u") < 0.02, "a problem file");

  const Solution::Table table = loaded.table(Cpu(1));
  write_npz(folder / "heat.npz", {{"u", {{table.prediction.at("u").size()}, table.prediction.at("u")}}});
  check(read_npz(folder / "heat.npz").at(0).second.values == table.prediction.at("u"), "an npz file");
  Report report;
  report.title = "Heat";
  report.coordinates = table.coordinates;
  report.axes = table.axes;
  report.prediction = table.prediction;
  check(html_report(report).find("image/png") != std::string::npos, "a report with a picture");
}

/// tanh of a linear function by a network of one neuron.
void kernel_on_own_buffers() {
  const JetSpec spec = JetSpec::closure(1, {});
  const Network network = mlp(1, 1, 1, 1);
  const std::vector<double> theta = {2, 0.5, 3, -1};  // 3 tanh(2 x + 0.5) - 1
  std::vector<double> x(100), y(100);
  fill_uniform<double>(Cpu(1), Philox(7, 0), 0, View<double, 1>(x.data(), x.size()));
  network_forward<double>(Cpu(1), network, spec, View<const double, 1>(theta.data(), theta.size()),
                          View<const double, 3>(x.data(), 1, 1, 100), View<double, 3>(y.data(), 1, 1, 100));
  bool same = true;
  for (int i = 0; i < 100; ++i) same = same && std::abs(y[i] - (3 * std::tanh(2 * x[i] + 0.5) - 1)) < 1e-13;
  check(same, "a kernel on own buffers");
}

void data_file(const std::filesystem::path& path) {
  const std::vector<double> values = {1, 2, 3, 4, 5, 6};
  ArrayFileWriter writer(path);
  writer.create<double>("u", {3, 2});
  writer.write<double>("u", 0, View<const double, 2>(values.data(), 3, 2));
  writer.finish();
  std::vector<double> row(2);
  ArrayFile(path).read("u", 1, View<double, 2>(row.data(), 1, 2));
  check(row == std::vector<double>{3, 4}, "a data file");
}

void reference() {
  const Expr u = unknown("u"), t = coordinate("t"), x = coordinate("x");
  Problem problem;
  problem.unknowns = {"u"};
  problem.add_coordinate("t", 0, 1).add_coordinate("x", 0, 2, true);
  problem.add_equation("heat", d(u, t) - 0.1 * d(u, x, x));
  problem.add_condition("initial", {{"t", 0}}, u - cos(std::numbers::pi * x));
  problem.reference.solver = "etdrk4";
  problem.reference.grid = {{"t", 2}, {"x", 4}};
  const double got = make_reference(Cpu(1), problem).values.at("u")[4];
  check(std::abs(got - std::exp(-0.1 * std::numbers::pi * std::numbers::pi)) < 1e-12, "a reference");
}
}  // namespace

int main(int, char** argv) {
  problem_file(argv[1]);
  kernel_on_own_buffers();
  data_file(std::filesystem::path(argv[1]) / "u.h5");
  reference();
  return good ? 0 : 1;
}
