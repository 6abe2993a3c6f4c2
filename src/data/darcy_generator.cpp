// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "sobolev/data/random_field.hpp"
#include "src/data/recipe_tables.hpp"

namespace sobolev {
namespace {

FieldCovariance covariance_of(const DarcyOptions& o) {
  return {std::pow(o.tau, o.alpha - 1), o.tau, o.alpha};
}

class DarcyWorker : public Generator::Worker {
 public:
  explicit DarcyWorker(const DarcyOptions& o)
      : o_(o),
        field_(std::size_t(o.grid), o.points, covariance_of(o), false),
        solver_(std::size_t(o.grid), o.points, o.face_mean),
        source_(std::size_t(o.grid) * std::size_t(o.grid), o.source) {}

  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>*) override {
    const std::size_t s = std::size_t(o_.grid);
    const View<double, 2> a(arrays[0], s, s), u(arrays[1], s, s);
    field_.sample(detail::random_of(seed, index), a);
    if (o_.coefficient == DarcyOptions::Coefficient::threshold)
      std::for_each(a.begin(), a.end(), [&](double& v) { v = v >= 0 ? o_.high : o_.low; });
    else
      std::for_each(a.begin(), a.end(), [](double& v) { v = std::exp(v); });
    solver_.solve(a, View<const double, 2>(source_.data(), s, s), u, o_.tolerance);
    return true;
  }

 private:
  const DarcyOptions& o_;
  NeumannField field_;
  DarcySolver solver_;
  std::vector<double> source_;
};

class Darcy : public detail::RecipeOf<DarcyOptions> {
 public:
  explicit Darcy(const DarcyOptions& options) : RecipeOf(options) {
    const std::size_t s = grid();
    if (options.layout == DataLayout::fno) {
      arrays_ = {{"coeff", {s, s}}, {"sol", {s, s}}};
    } else {
      arrays_ = {{"nu", {s, s}}, {"tensor", {1, s, s}}};
      const bool cells = options.points == GridPoints::cells;
      const Tensor x =
          cells ? detail::line(0.5 / double(s), 1 / double(s), s) : detail::line(0, 1 / double(s - 1), s);
      shared_ = {{"x-coordinate", x}, {"y-coordinate", x}};
      options_["beta"] = options.source;  // as PDEBench names it
    }
    worker_memory_ = DarcySolver::memory(s) + 2 * s * s * sizeof(double);
  }
  std::unique_ptr<Worker> worker() const override { return std::make_unique<DarcyWorker>(given()); }
};
}  // namespace

std::unique_ptr<Generator> make_generator(const DarcyOptions& options) {
  return std::make_unique<Darcy>(options);
}

}  // namespace sobolev
