// SPDX-License-Identifier: Apache-2.0
#pragma once
// The options of each recipe, bound to its struct, and what the recipes share.
#include <string_view>

#include "sobolev/core/random.hpp"
#include "sobolev/data/generators.hpp"
#include "src/data/option_table.hpp"

namespace sobolev::detail {

OptionTable table_of(DarcyOptions& options);
OptionTable table_of(DarcyRoughOptions& options);
OptionTable table_of(BurgersOptions& options);
OptionTable table_of(NavierStokesOptions& options);
OptionTable table_of(AdvectionOptions& options);
OptionTable table_of(DiffusionSorptionOptions& options);
OptionTable table_of(ReactionDiffusionOptions& options);
OptionTable table_of(ShallowWaterOptions& options);
OptionTable table_of(AntiderivativeOptions& options);

/// Options that are in range, and their attributes.
template <class Options>
class RecipeOf : public Generator {
 public:
  explicit RecipeOf(Options options) : given_(std::move(options)) {
    const OptionTable table = table_of(given_);
    table.check();
    name_ = table.recipe();
    options_ = table.attributes();
    grid_ = std::size_t(given_.grid);
  }
  const Options& given() const { return given_; }

 private:
  Options given_;
};

/// Streams of random numbers: of sample `index` several that are independent.
inline Philox random_of(std::uint64_t seed, std::uint64_t index, std::uint64_t purpose = 0) {
  constexpr std::uint64_t purposes = 16;
  return {seed, index * purposes + purpose};
}

inline Tensor line(double first, double step, std::size_t count) {
  Tensor out{{count}, {}};
  for (std::size_t i = 0; i < count; ++i) out.values.push_back(first + step * double(i));
  return out;
}

/// The times of steps + 1 states from 0 to `end`, and one interval more: PDEBench's files have that many.
inline Tensor pdebench_times(double end, int steps) { return line(0, end / steps, std::size_t(steps) + 2); }

inline bool is_set(const std::atomic<bool>* stop) {
  return stop != nullptr && stop->load(std::memory_order_relaxed);
}

}  // namespace sobolev::detail
