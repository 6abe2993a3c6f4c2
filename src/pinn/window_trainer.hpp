// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training of one time window: its residual groups, points, weights and initial network.
#include <memory>
#include <vector>

#include "evaluator.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "src/training/loop.hpp"
#include "state.hpp"

namespace sobolev::detail {

/// E is where it trains; `host` evaluates what depends on the points only.
template <class T, class E>
class WindowTrainer final : public Task<T, E> {
 public:
  /// `chain` gives the previous windows' values; it outlives the trainer.
  WindowTrainer(const Cpu& host, const E&, Solution::State& state, Continuation& chain);
  Objective<T, E>& objective() override { return objective_; }
  /// Points and their external values; NotFinite when one of them makes an equation or condition so.
  void draw() override;
  bool adapt(const std::vector<double>& parameters) override;
  double points_per_pass() const override;
  /// Stages are those of causal weights: epsilon.
  void set_stage() override;
  std::size_t stages() const override { return causal() ? state_.trained.training.causal.epsilon.size() : 0; }
  bool stage_done() const override {
    return objective_.last_causal_weight(interior_) > state_.trained.training.causal.stop_above;
  }
  /// All values that any window of this problem takes from the one before.
  static std::vector<PreviousValue> continuation_values(const Problem& problem);

 private:
  struct Part {
    CompiledGroup compiled;
    const Condition* condition;  // null: the interior
    int group;
  };
  /// Points and their external values; NotFinite.
  void set_points(const Part& part, const std::vector<double>& points);
  /// Σ (weighted residual)² of each point, which become the group's points.
  std::vector<double> losses_at(const Part& part, const std::vector<double>& points, View<const T, 1> theta);
  bool causal() const { return state_.trained.training.causal.slices > 0 && interior_ >= 0; }
  static std::vector<Part> parts_of(const Problem& problem, const WindowModel& model);
  void check_external(const Part& part, View<const double, 2> x, View<const double, 2> values) const;
  void scale_weights();
  void start_outputs();
  /// An error where an imposed condition is not kept; `size`: of its terms.
  void check_imposed(const Part& part, double size, View<const T, 1> parameters);
  Cpu cpu_;
  E executor_;
  Solution::State& state_;
  Continuation& chain_;
  WindowModel model_;
  std::vector<Part> parts_;
  ResidualObjective<T, E> objective_;
  int interior_ = -1;
  std::vector<std::size_t> slices_;
};

/// Glorot normal weights, or those of SIREN (Sitzmann et al. 2020; ω₀ = first_layer_scale in the first
/// layer); biases uniform in [−1, 1] where a layer reads the inputs, else zero. The weights of Fourier mode k
/// start k² times smaller: a derivative of order m multiplies the mode by k^m, and a start that is rough in
/// the highest derivatives costs most of the iterations (docs/optimizers.md).
/// Gaussians: centres at the inputs of quasi-random points of the ranges, options.gaussians.width each.
/// Outputs from number `zero_from` on begin at zero.
std::vector<double> initial_parameters(const Network& network, const Features& features,
                                       const std::vector<CoordinateRange>& ranges,
                                       const NetworkOptions& options, unsigned long seed,
                                       std::size_t zero_from);

/// The indices of the outputs' weights and biases; of unknown constants, which are outputs of no input, too
/// or not.
std::vector<std::size_t> output_parameters(const Network& network, bool constants);

}  // namespace sobolev::detail
