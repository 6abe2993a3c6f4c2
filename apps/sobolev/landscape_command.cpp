// SPDX-License-Identifier: Apache-2.0
// landscape: the loss around a solution and the spectrum of its Hessian, as arrays and as a page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/description.hpp"
#include "apps/sobolev/results.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/npy.hpp"
#include "sobolev/pinn/landscape.hpp"

namespace sobolev::app {
namespace {
constexpr const char* arrays_name = "landscape.npz";
constexpr const char* page_name = "landscape.html";
constexpr int bins_per_decade = 4;

/// The share of the eigenvalues of one sign in each quarter of a decade of their size.
Report::Curves::Line density(const HessianSpectrum& spectrum, bool negative) {
  std::map<int, double> bins;
  for (std::size_t k = 0; k < spectrum.eigenvalues.size(); ++k) {
    const double value = spectrum.eigenvalues[k];
    if (value == 0 || (value < 0) != negative) continue;
    bins[int(std::floor(bins_per_decade * std::log10(std::abs(value))))] += spectrum.weights[k];
  }
  Report::Curves::Line line{negative ? "negative" : "positive", {}, {}};
  for (const auto& [bin, share] : bins) {
    line.x.push_back(std::pow(10, (bin + 0.5) / bins_per_decade));
    line.y.push_back(share);
  }
  return line;
}

Report page_of(const Solution& solution, const Landscape& landscape) {
  Report report;
  report.title = "Loss around: " + title_of(solution.problem());
  report.subtitle =
      "L(θ + α a + β b) with two random directions, normalised filter by filter, and the "
      "spectrum of the Hessian at θ";
  const auto [least, most] = std::minmax_element(landscape.loss.begin(), landscape.loss.end());
  report.results = {{"loss", fmt::format("{:.2e}", landscape.loss_here)},
                    {"largest eigenvalue", fmt::format("{:.3g}", landscape.spectrum.largest)},
                    {"smallest eigenvalue", fmt::format("{:.3g}", landscape.spectrum.smallest)},
                    {"trace", fmt::format("{:.3g}", landscape.spectrum.trace)},
                    {"least loss around", fmt::format("{:.2e}", *least)},
                    {"largest loss around", fmt::format("{:.2e}", *most)}};
  report.coordinates = {"α", "β"};
  report.axes = {landscape.axis, landscape.axis};
  report.fields_heading = "Loss";
  std::vector<double>& shown = report.prediction["log10 of the loss"];
  for (double v : landscape.loss) shown.push_back(std::log10(v));
  report.curves_heading = "Spectrum of the Hessian";
  Report::Curves spectrum{
      "Share of the eigenvalues in a quarter of a decade: positive (first colour), negative",
      "size of the eigenvalue",
      "share",
      true,
      true,
      {}};
  for (const bool negative : {false, true})
    if (Report::Curves::Line line = density(landscape.spectrum, negative); !line.x.empty())
      spectrum.lines.push_back(std::move(line));
  if (!spectrum.lines.empty()) report.curves.push_back(std::move(spectrum));
  report.source = solution.problem().source;
  return report;
}
}  // namespace

int run_landscape(const LandscapeCommand& command) {
  std::error_code status;
  const bool folder = std::filesystem::is_directory(command.run, status);
  const Solution solution = load_checkpoint(folder ? command.run / checkpoint_name : command.run);
  std::filesystem::path out = command.out;
  if (out.empty())
    out = folder ? command.run : command.run.parent_path().empty() ? "." : command.run.parent_path();
  std::filesystem::create_directories(out, status);
  check_replaceable(out / arrays_name);
  check_replaceable(out / page_name);
  require_writable(out);
  const Cpu cpu(command.threads);
  LandscapeOptions options;
  options.points = command.points;
  options.range = command.range;
  options.seed = options.spectrum.seed = command.seed;
  options.spectrum.steps = command.steps;
  options.spectrum.probes = command.probes;
  if (command.window > 0) options.window = command.window - 1;
  const Landscape found = landscape(cpu, solution, options);
  const std::size_t n = found.axis.size(), m = found.spectrum.eigenvalues.size();
  write_npz(out / arrays_name, {{"axis", {{n}, found.axis}},
                                {"loss", {{n, n}, found.loss}},
                                {"eigenvalues", {{m}, found.spectrum.eigenvalues}},
                                {"weights", {{m}, found.spectrum.weights}}});
  atomic_write(out / page_name, html_report(page_of(solution, found)));
  if (command.json)
    print_json({{"problem", solution.problem().name},
                {"loss", found.loss_here},
                {"largest_eigenvalue", found.spectrum.largest},
                {"smallest_eigenvalue", found.spectrum.smallest},
                {"trace", found.spectrum.trace},
                {"arrays", (out / arrays_name).string()},
                {"page", (out / page_name).string()}});
  else if (!command.quiet)
    print("loss {:.2e}; eigenvalues of its Hessian from {:.3g} to {:.3g}, trace {:.3g}\n  {}\n  {}\n",
          found.loss_here, found.spectrum.smallest, found.spectrum.largest, found.spectrum.trace,
          (out / page_name).string(), (out / arrays_name).string());
  return done;
}

}  // namespace sobolev::app
