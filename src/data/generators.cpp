// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/generators.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <mutex>

#include "sobolev/core/error.hpp"
#include "sobolev/core/words.hpp"
#include "src/data/recipe_tables.hpp"

namespace sobolev {
namespace {

struct Recipe {
  const char *name, *text;
  std::unique_ptr<Generator> (*make)(const std::vector<std::string>& assignments);
  std::vector<RecipeDescription::Option> (*options)();
};

template <class Options>
Recipe recipe(const char* name, const char* text) {
  return {name, text,
          [](const std::vector<std::string>& assignments) {
            Options options;
            detail::OptionTable table = detail::table_of(options);
            for (const std::string& assignment : assignments) table.assign(assignment);
            return make_generator(options);
          },
          [] {
            Options options;
            std::vector<RecipeDescription::Option> out;
            const detail::OptionTable table = detail::table_of(options);
            for (const auto& option : table.options())
              out.push_back({option.name, option.value(), option.range, option.text});
            return out;
          }};
}

const std::vector<Recipe>& all_recipes() {
  static const std::vector<Recipe> all{
      recipe<DarcyOptions>("darcy", "flow through a medium of two permeabilities (FNO)"),
      recipe<DarcyRoughOptions>("darcy_rough", "the same in shorter patches, contrast 6 (MgNO)"),
      recipe<BurgersOptions>("burgers", "Burgers' equation from random fields (FNO)"),
      recipe<NavierStokesOptions>("navier_stokes", "forced vorticity on the torus (FNO)"),
      recipe<AdvectionOptions>("advection", "waves carried along (PDEBench)"),
      recipe<DiffusionSorptionOptions>("diffusion_sorption", "diffusion slowed down by sorption (PDEBench)"),
      recipe<ReactionDiffusionOptions>("reaction_diffusion",
                                       "FitzHugh-Nagumo from noise in the plane (PDEBench)"),
      recipe<ShallowWaterOptions>("shallow_water", "a round dam that breaks (PDEBench)"),
      recipe<AntiderivativeOptions>("antiderivative",
                                    "random functions and their antiderivatives (DeepONet)"),
  };
  return all;
}
}  // namespace

std::size_t Generator::Array::values() const {
  std::size_t n = 1;
  for (const std::size_t s : shape) n *= s;
  return n;
}

std::unique_ptr<Generator> make_generator(const std::string& name,
                                          const std::vector<std::string>& assignments) {
  std::vector<std::string> names;
  for (const Recipe& r : all_recipes()) {
    if (r.name == name) return r.make(assignments);
    names.emplace_back(r.name);
  }
  throw ArgumentError(fmt::format("there is no generator {}{}; there are {}", name, suggestion(name, names),
                                  fmt::join(names, ", ")));
}

std::vector<RecipeDescription> recipes() {
  std::vector<RecipeDescription> out;
  for (const Recipe& r : all_recipes()) out.push_back({r.name, r.text, r.options()});
  return out;
}

bool generate(const Cpu& cpu, const Generator& generator, std::uint64_t seed, std::uint64_t first,
              std::span<const View<double, 2>> rows, const GenerateControl& control) {
  const auto& arrays = generator.arrays();
  require(rows.size() == arrays.size(),
          fmt::format("{}: {} views for {} arrays", generator.name(), rows.size(), arrays.size()));
  const std::size_t count = rows.front().extent(0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    require(rows[i].extent(0) == count && rows[i].extent(1) == arrays[i].values(),
            fmt::format("{}: the view of {} is {} × {}; it must be {} × {}", generator.name(), arrays[i].name,
                        rows[i].extent(0), rows[i].extent(1), count, arrays[i].values()));
  std::mutex mutex;
  std::exception_ptr failure;
  std::atomic<bool> ended = false;
  std::size_t made = 0;
  const auto fail = [&](const std::exception_ptr& error) {
    const std::lock_guard lock(mutex);
    if (!ended.exchange(true)) failure = error;
  };
  const auto named = [&](std::size_t n, const Error& error) {
    return fmt::format("sample {} of seed {}: {}", first + n, seed, error.what());
  };
#pragma omp parallel num_threads(int(std::clamp(count, std::size_t{1}, std::size_t(cpu.threads()))))
  {
    std::unique_ptr<Generator::Worker> worker;
    std::vector<double*> to(rows.size());
#pragma omp for schedule(dynamic, 1)
    for (std::size_t n = 0; n < count; ++n) {
      if (ended || detail::is_set(control.stop)) continue;
      try {
        if (!worker) worker = generator.worker();
        for (std::size_t i = 0; i < rows.size(); ++i) to[i] = rows[i].data() + n * rows[i].extent(1);
        if (!worker->sample(seed, first + n, to, control.stop)) continue;
        const std::lock_guard lock(mutex);
        ++made;
        if (control.on_sample && !ended) control.on_sample(made);
      } catch (const OutOfMemory&) {
        fail(std::current_exception());
      } catch (const ArgumentError& error) {
        fail(std::make_exception_ptr(ArgumentError(named(n, error))));
      } catch (const Error& error) {
        fail(std::make_exception_ptr(Error(named(n, error))));
      } catch (...) {
        fail(std::current_exception());
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
  return made == count;
}

}  // namespace sobolev
