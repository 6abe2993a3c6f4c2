// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/expression/tape.hpp"
#include "sobolev/jet/spec.hpp"
#include "sobolev/network/features.hpp"
#include "sobolev/network/network.hpp"
#include "sobolev/optim/objective.hpp"

namespace sobolev {

/// A tape input: scale · (channel of a network output's jet).
struct FieldInput {
  int output, channel;
  double scale;
};

/// E residuals that hold on one set of points. The tape's inputs are the D coordinates, then
/// `externals` values given with the points, then the fields; its outputs are the residuals.
struct ResidualGroup {
  JetSpec jet;
  std::vector<FieldInput> fields;
  Tape tape;
  int externals = 0;
  std::vector<double> weights;  // [E]: of each squared residual in the loss, 1/N included
};

namespace detail {
template <class T, class E>
struct ResidualObjectiveOn;
}

/// Forward + exact derivatives + gradient of L(θ) = Σ_groups Σ_e w_e Σ_n v_n r_e(x_n; θ)² in one pass
/// over tiles of points: features, jets through the network, residuals (tape), their adjoints, and
/// back. Nothing of a tile leaves the caches: memory is O(threads · tile + chunks · P), whatever N.
/// The same bits come out with any number of threads. docs/jets.md, section 4.
///
/// E is Cpu or Cuda. Parameters, gradients, residuals, seeds and matrices lie in that executor's memory; what
/// describes the problem (points, external values, weights, offsets) is given from the host. On a device
/// causal weights take a second forward pass, and a call waits only where it returns numbers.
template <class T, class E = Cpu>
class ResidualObjective final : public LeastSquares<T, E> {
 public:
  /// The network's inputs are the features.
  ResidualObjective(const E&, Network, const Features&, std::vector<Symmetry> symmetry = {});
  ResidualObjective(ResidualObjective&&) noexcept;
  ResidualObjective& operator=(ResidualObjective&&) noexcept;
  ~ResidualObjective() override;

  /// Adds a group and returns its index; it has no points yet.
  int add_group(ResidualGroup group);
  /// x : [N, D]; externals : [externals, N] or empty; point_weights : [N] or empty (all 1).
  void set_points(int group, View<const double, 2> x, View<const double, 2> externals = {},
                  View<const double, 1> point_weights = {});
  void set_weights(int group, const std::vector<double>& weights);
  /// Causal weights for the points of a group, which must be sorted by time: slice s is the points
  /// offsets[s] … offsets[s+1]−1 and its weight exp(−epsilon Σ_{k<s} L_k), L_k the mean over slice k of
  /// Σ_e r_e². The weights are exact for the parameters at hand and not differentiated. Slices whose
  /// weight would be below rounding are not evaluated.
  void set_causal(int group, std::vector<std::size_t> offsets, double epsilon);

  const Network& network() const;
  std::size_t parameters() const override { return network().parameters(); }
  int groups() const;
  std::size_t points(int group) const;
  /// E, the residuals at each point.
  int equations(int group) const;
  /// Bytes held beyond the points and their weights.
  std::size_t scratch_bytes() const;

  double loss(View<const T, 1> parameters) override;
  double loss_gradient(View<const T, 1> parameters, View<T, 1> gradient) override;
  void loss_gradient(View<const T, 1> parameters, View<T, 1> gradient, View<double, 1> loss) override;
  /// r : [E, N] of one group.
  void residuals(int group, View<const T, 1> parameters, View<T, 2> r);
  /// Those of all groups, one after another.
  void residuals(View<const T, 1> parameters, View<T, 1> r) override;
  std::size_t size() const override;
  /// Σ_groups Σ_e Σ_n seed[e, n] ∂r_e(x_n)/∂θ; seeds[g] : [E, N] of group g.
  void pull_back(View<const T, 1> parameters, const std::vector<View<const T, 2>>& seeds,
                 View<T, 1> gradient);
  /// r[e, n] *= the weight of r_e(x_n)² in L (causal weights included).           r : [E, N]
  void weigh(int group, View<T, 2> r);
  void weigh(View<T, 1> r) override;
  void pull_back(View<const T, 1> parameters, View<const T, 1> seed, View<T, 1> gradient) override;
  /// Each group's mean over n of v_n |∂r_e(x_n)/∂θ|², by residual: the scale of its Jacobian rows. On the CPU
  /// from every k-th tile where there are more than about 4096 points.
  std::vector<std::vector<double>> row_norms(View<const T, 1> parameters);
  /// The Gauss–Newton matrix G = Σ w_e v_n ∇r ∇rᵀ (its upper triangle; the lower one is left alone) and g = Σ
  /// w_e v_n r ∇r; returns L. matrix : [P, P], gradient : [P]. Causal weights enter as constants. Rows are
  /// made block by block and consumed in cache: FLOPs N·E·P² (syrk) + about 2·K·N·E·P (rows).
  double normal_equations(View<const T, 1> parameters, View<T, 2> matrix, View<T, 1> gradient,
                          View<T, 1> r) override;
  using LeastSquares<T, E>::normal_equations;

  /// Of the causal weights.
  void hold(bool held) override;
  bool adapts() const override;
  /// After a pass with causal weights: the weight of the last slice (0 when it was skipped) and the
  /// number of slices that were evaluated.
  double last_causal_weight(int group) const;
  int evaluated_slices(int group) const;

 private:
  std::unique_ptr<detail::ResidualObjectiveOn<T, E>> impl_;
  std::vector<View<const T, 2>> seeds_;  // of a pull-back, group by group
};

}  // namespace sobolev
