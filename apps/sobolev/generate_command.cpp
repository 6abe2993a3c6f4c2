// SPDX-License-Identifier: Apache-2.0
// generate: samples of a recipe into a file.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/progress.hpp"
#include "apps/sobolev/stop_signals.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/data/generators.hpp"

namespace sobolev::app {
namespace {
using Json = nlohmann::ordered_json;

Json object_of(const RecipeDescription& recipe) {
  Json options = Json::array();
  for (const auto& option : recipe.options)
    options.push_back({{"key", option.name},
                       {"default", option.value},
                       {"range", option.range},
                       {"description", option.text}});
  return {{"name", recipe.name}, {"description", recipe.text}, {"options", options}};
}

void print_options(const RecipeDescription& recipe) {
  std::size_t width = 0;
  for (const auto& option : recipe.options) width = std::max(width, option.name.size());
  print("{}: {}\n", recipe.name, recipe.text);
  for (const auto& option : recipe.options)
    print("  {:<{}}  {}\n  {:<{}}  default {}; {}\n", option.name, width, option.text, "", width,
          option.value.empty() ? "nothing" : option.value, option.range);
}

int list_recipes(const GenerateCommand& command) {
  std::vector<RecipeDescription> shown = recipes();
  if (!command.name.empty()) {
    make_generator(command.name);  // says which there are
    std::erase_if(shown, [&](const RecipeDescription& r) { return r.name != command.name; });
  }
  if (command.json) {
    Json objects = Json::array();
    for (const RecipeDescription& recipe : shown) objects.push_back(object_of(recipe));
    print_json({{"generators", objects}});
  } else if (command.options) {
    for (const RecipeDescription& recipe : shown) print_options(recipe);
  } else {
    std::size_t width = 0;
    for (const RecipeDescription& recipe : shown) width = std::max(width, recipe.name.size());
    for (const RecipeDescription& recipe : shown) print("{:<{}}  {}\n", recipe.name, width, recipe.text);
    print("The options of one: sobolev generate NAME --options\n");
  }
  return done;
}
}  // namespace

int run_generate(const GenerateCommand& command) {
  if (command.name.empty() || command.options) return list_recipes(command);
  std::vector<std::string> assignments = command.assignments;
  if (command.grid) assignments.push_back(fmt::format("grid={}", *command.grid));
  const auto generator = make_generator(command.name, assignments);
  require(command.samples.has_value(),
          fmt::format("how many samples of {}? Give --samples N, as --samples 1000", command.name));
  require(!command.out.empty(), fmt::format("where to? Give --out FILE, as --out {}.h5", command.name));

  const Cpu cpu(command.threads);
  catch_stop_signals();
  ProgressPrinter printer(command.quiet);
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  WriteSamplesOptions options;
  options.samples = *command.samples;
  options.seed = command.seed;
  options.single = command.single;
  options.control.stop = &stop_requested();
  options.control.on_sample = [&](std::size_t n) { printer.show_samples(n, options.samples, seconds()); };
  WrittenSamples written;
  try {
    written = write_samples(cpu, *generator, command.out, options);
  } catch (...) {
    printer.finish();
    throw;
  }
  printer.finish();
  if (!written.whole) {
    print_error("sobolev: interrupted; {} was not written\n", command.out.string());
    constexpr int by_signal = 128;
    return by_signal + stop_signal();
  }
  if (command.json)
    print_json({{"file", command.out.string()},
                {"generator", generator->name()},
                {"samples", options.samples},
                {"grid", generator->grid()},
                {"seed", options.seed},
                {"seconds", seconds()},
                {"sha256", written.sha256}});
  else if (!command.quiet)
    print("{}: {} samples of {} with grid {} and seed {} in {}\nsha256 {}\n", command.out.string(),
          options.samples, generator->name(), generator->grid(), options.seed, duration_text(seconds()),
          written.sha256);
  return done;
}

}  // namespace sobolev::app
