// SPDX-License-Identifier: Apache-2.0
#pragma once
// The mean relative error of a batch as an objective, of one step or of a roll-out of several.
#include <cmath>
#include <numeric>
#include <optional>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/copy.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/linalg/vector.hpp"
#include "sobolev/operators/operator_model.hpp"
#include "sobolev/operators/relative_h1.hpp"
#include "sobolev/operators/relative_l2.hpp"
#include "sobolev/optim/optimizer.hpp"
#include "src/operators/next_inputs.hpp"
#include "src/operators/operator_samples.hpp"
#include "src/operators/physics_loss.hpp"

namespace sobolev::detail {

/// Inputs normalised, outputs in their units; the loss is taken in these. Of a roll-out it is the mean over
/// its steps; its gradient passes back through all of them, each of which is made a second time for that.
template <class T, class E>
class OperatorObjective final : public Objective<T, E> {
 public:
  using Use = typename PlannedFieldNetwork<T, E>::Use;
  struct Errors {
    std::vector<double> l2, h1;     // by sample, over all steps
    std::vector<double> steps_sum;  // relative L2 of each step, added up over the samples
  };

  /// For inference it has errors and no gradient. Without `on_grid` outputs lie anywhere and have no H1
  /// errors. The layout outlives it.
  OperatorObjective(const E& executor, const FieldNetwork& network, const std::vector<std::size_t>& grid,
                    std::size_t batch, const ChannelNormaliser& outputs, const OperatorLayout& layout,
                    std::size_t steps, OperatorLoss loss, bool periodic, Use use = Use::training,
                    const QueryPoints& query = {}, std::size_t coordinates = 0, bool on_grid = true,
                    const PhysicsOptions* physics = nullptr, const ChannelNormaliser* inputs = nullptr)
      : executor_(executor),
        layout_(layout),
        steps_(steps),
        training_(use == Use::training),
        use_h1_(loss != OperatorLoss::l2),
        network_(executor, network, grid, batch, use, query, training_ && steps > 1),
        parameters_(network.parameters()),
        inputs_(network.inputs()),
        outputs_(network.outputs()),
        sensors_(std::accumulate(grid.begin(), grid.end(), std::size_t(1), std::multiplies<>())),
        points_(std::accumulate(network_.output_grid().begin(), network_.output_grid().end(), std::size_t(1),
                                std::multiplies<>())),
        coordinates_(coordinates),
        asked_(zeros<T>(executor, (query.shared ? 1 : batch) * points_ * coordinates)),
        target_(zeros<T>(executor, steps * batch * points_ * outputs_)),
        y_bar_(zeros<T>(executor, training_ ? steps * batch * points_ * outputs_ : 0)),
        noise_(zeros<T>(executor, 0)),
        scale_(zeros<T>(executor, outputs_)),
        offset_(zeros<T>(executor, outputs_)),
        errors_(zeros<double>(executor, batch)),
        loss_(zeros<double>(executor, 1)),
        step_loss_(zeros<double>(executor, 1)),
        zero_(zeros<T>(executor, training_ || steps == 1 ? 0 : batch * points_ * outputs_)) {
    const std::size_t kept = training_ ? steps : std::min<std::size_t>(steps, 2);
    for (std::size_t s = 0; s < kept; ++s) x_.push_back(zeros<T>(executor, batch * sensors_ * inputs_));
    for (std::size_t i = 0; i < (training_ && steps > 1 ? 2u : 0u); ++i)
      x_bar_.push_back(zeros<T>(executor, batch * sensors_ * inputs_));
    partial_ = zeros<T>(executor, training_ && steps > 1 ? parameters_ : 0);
    if (use_h1_ || (!training_ && on_grid)) {
      const H1Norm norm = loss == OperatorLoss::h1_fourier ? H1Norm::fourier : H1Norm::differences;
      h1_.emplace(executor, network_.output_grid(), outputs_, batch, H1Options{norm, periodic});
    }
    put(outputs.deviation, scale_);
    put(outputs.mean, offset_);
    if (physics != nullptr && physics->any()) take_physics(*physics, *inputs, outputs, batch);
  }

  /// The batch from here on. Behind its B fields of x there may be others, without a target, of which
  /// equations are asked alone.
  void set(const OperatorBatch<T>& batch) {
    count_ = batch.samples;
    all_ = batch.x.size() / (sensors_ * inputs_);
    upload<T, 1>(executor_, View<const T, 1>(batch.asked.data(), batch.asked.size()),
                 View<T, 1>(asked_.data(), batch.asked.size()));
    sets_ = batch.asked.size() / std::max<std::size_t>(1, points_ * coordinates_);
    upload<T, 1>(executor_, View<const T, 1>(batch.x.data(), batch.x.size()),
                 View<T, 1>(x_[0].data(), batch.x.size()));
    upload<T, 1>(executor_, View<const T, 1>(batch.y.data(), batch.y.size()),
                 View<T, 1>(target_.data(), batch.y.size()));
    if (begin_.size() > 0) take_begin();
  }
  /// x += deviation · normal numbers of this stream.
  void disturb(double deviation, const Philox& random) {
    const std::size_t size = all_ * sensors_ * inputs_;
    if (noise_.size() < x_[0].size()) noise_ = zeros<T>(executor_, x_[0].size());
    const View<T, 1> noise(noise_.data(), size), x(x_[0].data(), size);
    fill_normal<T>(executor_, random, 0, noise);
    axpby<T>(executor_, T(deviation), noise, T(1), x, x);
  }
  /// Of the batch, by an objective for inference.
  Errors errors(View<const T, 1> parameters) {
    Errors out;
    out.steps_sum.assign(steps_, 0);
    // By sample: Σ (‖e‖ of a step)² and Σ ‖t‖², of which the relative error over all steps is.
    std::vector<double> sums[2][2];
    for (auto& kind : sums)
      for (auto& part : kind) part.assign(count_, 0);
    for (std::size_t s = 0; s < steps_; ++s) {
      const View<const T, 3> y = forward(parameters, s);
      const auto at_step = [&](bool h1) {
        relative(h1, y, scale(), offset(), target(s), View<double, 1>(nullptr, 0),
                 View<T, 3>(nullptr, 0, 0, 0));
        const std::vector<double> error = fetched_errors();
        std::vector<double> norm(count_, 1);
        if (steps_ > 1) {  // ‖t‖ is the error of t where nothing was wanted
          const View<const T, 1> none(nullptr, 0);
          relative(h1, target(s), none, none, View<const T, 3>(zero_.data(), count_, points_, outputs_),
                   View<double, 1>(nullptr, 0), View<T, 3>(nullptr, 0, 0, 0));
          norm = fetched_errors();
        }
        for (std::size_t b = 0; b < count_; ++b) {
          const double part = error[b] * (norm[b] > 0 ? norm[b] : 1);
          sums[h1][0][b] += part * part;
          sums[h1][1][b] += norm[b] * norm[b];
          if (!h1) out.steps_sum[s] += error[b];
        }
      };
      at_step(false);
      if (h1_) at_step(true);
      if (s + 1 < steps_) next_inputs<T>(executor_, layout_, x(s), y, writable_x(s + 1));
    }
    for (std::size_t b = 0; b < count_; ++b) {
      const auto quotient = [&](const std::vector<double>* sum) {
        return std::sqrt(sum[0][b]) / (sum[1][b] > 0 ? std::sqrt(sum[1][b]) : 1);
      };
      out.l2.push_back(quotient(sums[0]));
      if (h1_) out.h1.push_back(quotient(sums[1]));
    }
    return out;
  }

  std::size_t parameters() const override { return parameters_; }
  double loss(View<const T, 1> parameters) override {
    measure(parameters, false, View<double, 1>(loss_.data(), 1));
    return fetched();
  }
  double loss_gradient(View<const T, 1> parameters, View<T, 1> gradient) override {
    loss_gradient(parameters, gradient, View<double, 1>(loss_.data(), 1));
    return fetched();
  }
  void loss_gradient(View<const T, 1> parameters, View<T, 1> gradient, View<double, 1> loss) override {
    measure(parameters, true, loss);
    for (std::size_t s = steps_; s-- > 0;) {
      if (s + 1 < steps_) forward(parameters, s);
      const View<T, 3> bar = y_bar(s);
      if (steps_ > 1) {
        const View<T, 1> flat(bar.data(), bar.size());
        axpby<T>(executor_, T(1 / double(steps_)), flat, T(0), flat, flat);
      }
      if (s + 1 < steps_) next_inputs_adjoint<T>(executor_, layout_, x_bar(s + 1), true, bar);
      const View<T, 1> own = s + 1 == steps_ ? gradient : View<T, 1>(partial_.data(), parameters_);
      network_.backward(parameters, bar, own);
      if (s + 1 < steps_) axpby<T>(executor_, T(1), own, T(1), gradient, gradient);
      if (s == 0) continue;
      copy<T, 3>(executor_, network_.input_adjoint(), x_bar(s));
      if (s + 1 < steps_) next_inputs_adjoint<T>(executor_, layout_, x_bar(s + 1), false, x_bar(s));
    }
  }

 private:
  void take_physics(const PhysicsOptions& physics, const ChannelNormaliser& inputs,
                    const ChannelNormaliser& outputs, std::size_t batch) {
    require(steps_ == 1, "[physics] is of outputs that are made at once");
    grid_ = network_.output_grid();
    physics_ = std::make_unique<PhysicsLoss<T, E>>(executor_, physics, grid_, batch, outputs);
    if (physics.initial <= 0) return;
    require(inputs_ == outputs_ && sensors_ == points_,
            "physics.initial needs an input of the outputs' channels, what they begin with");
    begin_ = zeros<T>(executor_, batch * points_ / grid_[0] * inputs_);
    begin_scale_ = zeros<T>(executor_, inputs_);
    begin_offset_ = zeros<T>(executor_, inputs_);
    put(inputs.deviation, begin_scale_);
    put(inputs.mean, begin_offset_);
  }
  /// What equations say of the fields y is added to the loss and, with `gradient`, to its gradient.
  void add_physics(View<const T, 3> y, bool gradient, View<double, 1> loss) {
    if (gradient)
      set_zero<T>(executor_, View<T, 1>(y_bar_.data() + count_ * points_ * outputs_,
                                        (all_ - count_) * points_ * outputs_));
    physics_->add(y, begin_.size() > 0 ? begin() : View<T, 3>(nullptr, 0, 0, 0),
                  gradient ? y_bar(0) : View<T, 3>(nullptr, 0, 0, 0), loss);
  }
  View<T, 3> begin() { return View<T, 3>(begin_.data(), all_, points_ / grid_[0], inputs_); }
  /// What outputs begin with, in their units, before noise is added to the inputs.
  void take_begin() {
    const std::size_t first = points_ / grid_[0];
    field_copy<T>(executor_, x(0), {{1, grid_[0], first}, {0, 0, 0}, 0}, begin(),
                  {{1, 1, first}, {0, 0, 0}, 0}, {1, 1, first}, inputs_, false);
    const View<T, 2> rows(begin_.data(), all_ * first, inputs_);
    channel_scale<T>(executor_, View<const T, 2>(rows), View<const T, 1>(begin_scale_.data(), inputs_),
                     View<const T, 1>(begin_offset_.data(), inputs_), rows);
  }
  void put(const std::vector<double>& values, BufferOn<E, T>& to) {
    const std::vector<T> host(values.begin(), values.end());
    upload<T, 1>(executor_, View<const T, 1>(host.data(), host.size()), View<T, 1>(to.data(), host.size()));
  }
  View<T, 3> writable_x(std::size_t s) {
    return View<T, 3>(x_[s % x_.size()].data(), all_, sensors_, inputs_);
  }
  View<const T, 3> x(std::size_t s) { return writable_x(s); }
  View<const T, 3> forward(View<const T, 1> parameters, std::size_t s) {
    if (coordinates_ == 0) return network_.forward(parameters, x(s));
    return network_.forward(parameters, x(s), View<const T, 3>(asked_.data(), sets_, points_, coordinates_));
  }
  View<T, 3> x_bar(std::size_t s) { return View<T, 3>(x_bar_[s % 2].data(), all_, sensors_, inputs_); }
  View<const T, 3> target(std::size_t s) {
    const std::size_t size = count_ * points_ * outputs_;
    return View<const T, 3>(target_.data() + s * size, count_, points_, outputs_);
  }
  View<T, 3> y_bar(std::size_t s) {
    return View<T, 3>(y_bar_.data() + s * all_ * points_ * outputs_, all_, points_, outputs_);
  }
  View<const T, 1> scale() { return View<const T, 1>(scale_.data(), outputs_); }
  View<const T, 1> offset() { return View<const T, 1>(offset_.data(), outputs_); }

  void relative(bool h1, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                View<const T, 3> target, View<double, 1> loss, View<T, 3> y_bar) {
    const View<double, 1> errors(errors_.data(), count_);
    if (h1)
      (*h1_)(y, scale, offset, target, errors, loss, y_bar);
    else
      relative_l2<T>(executor_, y, scale, offset, target, errors, loss, y_bar);
  }
  void measure(View<const T, 1> parameters, bool gradient, View<double, 1> loss) {
    const View<double, 1> own(step_loss_.data(), 1);
    for (std::size_t s = 0; s < steps_; ++s) {
      const View<const T, 3> y = forward(parameters, s);
      relative(
          use_h1_, View<const T, 3>(y.data(), count_, points_, outputs_), scale(), offset(), target(s),
          steps_ == 1 ? loss : own,
          gradient ? View<T, 3>(y_bar(s).data(), count_, points_, outputs_) : View<T, 3>(nullptr, 0, 0, 0));
      if (physics_) add_physics(y, gradient, loss);
      const double share = 1 / double(steps_);
      if (steps_ > 1) axpby<double>(executor_, share, own, s == 0 ? 0.0 : 1.0, s == 0 ? own : loss, loss);
      if (s + 1 < steps_) next_inputs<T>(executor_, layout_, x(s), y, writable_x(s + 1));
    }
  }
  std::vector<double> fetched_errors() {
    std::vector<double> host(count_);
    download<double, 1>(executor_, View<const double, 1>(errors_.data(), count_),
                        View<double, 1>(host.data(), count_));
    return host;
  }
  double fetched() {
    double value = 0;
    download<double, 1>(executor_, View<const double, 1>(loss_.data(), 1), View<double, 1>(&value, 1));
    return value;
  }

  E executor_;
  const OperatorLayout& layout_;
  std::size_t steps_;
  bool training_, use_h1_;
  PlannedFieldNetwork<T, E> network_;
  std::size_t parameters_, inputs_, outputs_, sensors_, points_, coordinates_, count_ = 0, all_ = 0,
                                                                               sets_ = 0;
  std::vector<BufferOn<E, T>> x_, x_bar_;  // of each step; of two steps
  BufferOn<E, T> asked_, target_, y_bar_, noise_, scale_, offset_;
  BufferOn<E, double> errors_, loss_, step_loss_;
  BufferOn<E, T> zero_, partial_ = zeros<T>(executor_, 0);
  std::optional<RelativeH1<T, E>> h1_;
  std::unique_ptr<PhysicsLoss<T, E>> physics_;
  std::vector<std::size_t> grid_;  // of the outputs, where there is physics
  BufferOn<E, T> begin_ = zeros<T>(executor_, 0), begin_scale_ = zeros<T>(executor_, 0),
                 begin_offset_ = zeros<T>(executor_, 0);
};

}  // namespace sobolev::detail
