// SPDX-License-Identifier: Apache-2.0
#pragma once
// The mean relative L2 error of a batch as an objective, and the batches of a training.
#include <algorithm>
#include <numeric>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/operators/operator_model.hpp"
#include "sobolev/operators/relative_l2.hpp"
#include "src/operators/physics_loss.hpp"
#include "src/training/loop.hpp"

namespace sobolev::detail {

/// Samples first … of the order of an epoch: a permutation that the seed and the epoch's number give.
inline std::vector<std::size_t> epoch_order(std::size_t samples, unsigned long seed, long epoch) {
  std::vector<std::size_t> order(samples);
  std::iota(order.begin(), order.end(), std::size_t(0));
  const Philox random(seed, (std::uint64_t(1) << 40) + std::uint64_t(epoch));
  for (std::size_t i = samples; i > 1; --i)  // Fisher and Yates
    std::swap(order[i - 1], order[std::min(i - 1, std::size_t(random.uniform(i) * double(i)))]);
  return order;
}

/// Inputs normalised, outputs in their units; the loss is taken in these.
template <class T, class E>
class OperatorObjective final : public Objective<T, E> {
 public:
  using Use = typename PlannedFieldNetwork<T, E>::Use;
  /// For inference it has no gradient.
  OperatorObjective(const E& executor, const FieldNetwork& network, const std::vector<std::size_t>& grid,
                    std::size_t batch, const ChannelNormaliser& outputs, Use use = Use::training,
                    const QueryPoints& query = {}, std::size_t coordinates = 0,
                    const PhysicsOptions* physics = nullptr, const ChannelNormaliser* inputs = nullptr)
      : executor_(executor),
        network_(executor, network, grid, batch, use, query),
        parameters_(network.parameters()),
        inputs_(network.inputs()),
        outputs_(network.outputs()),
        sensors_(std::accumulate(grid.begin(), grid.end(), std::size_t(1), std::multiplies<>())),
        points_(std::accumulate(network_.output_grid().begin(), network_.output_grid().end(), std::size_t(1),
                                std::multiplies<>())),
        coordinates_(coordinates),
        x_(zeros<T>(executor, batch * sensors_ * inputs_)),
        asked_(zeros<T>(executor, (query.shared ? 1 : batch) * points_ * coordinates)),
        target_(zeros<T>(executor, batch * points_ * outputs_)),
        y_bar_(zeros<T>(executor, use == Use::training ? batch * points_ * outputs_ : 0)),
        scale_(zeros<T>(executor, outputs_)),
        offset_(zeros<T>(executor, outputs_)),
        errors_(zeros<double>(executor, batch)),
        loss_(zeros<double>(executor, 1)),
        begin_(zeros<T>(executor, 0)),
        begin_scale_(zeros<T>(executor, 0)),
        begin_offset_(zeros<T>(executor, 0)) {
    put(outputs.deviation, scale_);
    put(outputs.mean, offset_);
    if (physics == nullptr || !physics->any()) return;
    physics_ =
        std::make_unique<PhysicsLoss<T, E>>(executor, *physics, network_.output_grid(), batch, outputs);
    grid_ = network_.output_grid();
    if (physics->initial <= 0) return;
    require(inputs_ == outputs_ && sensors_ == points_,
            "physics.initial needs an input of the outputs' channels, what they begin with");
    begin_ = zeros<T>(executor, batch * points_ / grid_[0] * inputs_);
    begin_scale_ = zeros<T>(executor, inputs_);
    begin_offset_ = zeros<T>(executor, inputs_);
    put(inputs->deviation, begin_scale_);
    put(inputs->mean, begin_offset_);
  }

  /// The batch from here on: x [B, N, C] normalised, target [B, N', O]; of a network with a query its points
  /// [B or 1, N', D] as well, normalised. Behind the B fields of x there may be others, without a target, of
  /// which equations are asked alone.
  void set(const std::vector<T>& x, const std::vector<T>& target, std::size_t count,
           const std::vector<T>& asked = {}) {
    count_ = count;
    all_ = x.size() / (sensors_ * inputs_);
    upload<T, 1>(executor_, View<const T, 1>(asked.data(), asked.size()),
                 View<T, 1>(asked_.data(), asked.size()));
    sets_ = asked.size() / std::max<std::size_t>(1, points_ * coordinates_);
    upload<T, 1>(executor_, View<const T, 1>(x.data(), x.size()), View<T, 1>(x_.data(), x.size()));
    upload<T, 1>(executor_, View<const T, 1>(target.data(), target.size()),
                 View<T, 1>(target_.data(), target.size()));
  }
  /// Relative L2 by sample of the batch.
  std::vector<double> errors(View<const T, 1> parameters) {
    measure(parameters, false, View<double, 1>(loss_.data(), 1));
    std::vector<double> host(count_);
    download<double, 1>(executor_, View<const double, 1>(errors_.data(), count_),
                        View<double, 1>(host.data(), count_));
    return host;
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
    network_.backward(parameters, View<const T, 3>(y_bar_.data(), all_, points_, outputs_), gradient);
  }

 private:
  void put(const std::vector<double>& values, BufferOn<E, T>& to) {
    const std::vector<T> host(values.begin(), values.end());
    upload<T, 1>(executor_, View<const T, 1>(host.data(), host.size()), View<T, 1>(to.data(), host.size()));
  }
  void measure(View<const T, 1> parameters, bool gradient, View<double, 1> loss) {
    const View<const T, 3> y =
        network_.forward(parameters, View<const T, 3>(x_.data(), all_, sensors_, inputs_),
                         View<const T, 3>(asked_.data(), sets_, points_, coordinates_));
    relative_l2<T>(
        executor_, View<const T, 3>(y.data(), count_, points_, outputs_),
        View<const T, 1>(scale_.data(), outputs_), View<const T, 1>(offset_.data(), outputs_),
        View<const T, 3>(target_.data(), count_, points_, outputs_), View<double, 1>(errors_.data(), count_),
        loss, gradient ? View<T, 3>(y_bar_.data(), count_, points_, outputs_) : View<T, 3>(nullptr, 0, 0, 0));
    if (!physics_) return;
    if (gradient)
      set_zero<T>(executor_, View<T, 1>(y_bar_.data() + count_ * points_ * outputs_,
                                        (all_ - count_) * points_ * outputs_));
    View<T, 3> begin(nullptr, 0, 0, 0);
    if (begin_.size() > 0) {
      const std::size_t first = points_ / grid_[0];
      begin = View<T, 3>(begin_.data(), all_, first, inputs_);
      field_copy<T>(executor_, View<const T, 3>(x_.data(), all_, sensors_, inputs_),
                    {{1, grid_[0], first}, {0, 0, 0}, 0}, begin, {{1, 1, first}, {0, 0, 0}, 0}, {1, 1, first},
                    inputs_, false);
      const View<T, 2> rows(begin_.data(), all_ * first, inputs_);
      channel_scale<T>(executor_, View<const T, 2>(rows), View<const T, 1>(begin_scale_.data(), inputs_),
                       View<const T, 1>(begin_offset_.data(), inputs_), rows);
    }
    physics_->add(
        y, begin,
        gradient ? View<T, 3>(y_bar_.data(), all_, points_, outputs_) : View<T, 3>(nullptr, 0, 0, 0), loss);
  }
  double fetched() {
    double value = 0;
    download<double, 1>(executor_, View<const double, 1>(loss_.data(), 1), View<double, 1>(&value, 1));
    return value;
  }

  E executor_;
  PlannedFieldNetwork<T, E> network_;
  std::size_t parameters_, inputs_, outputs_, sensors_, points_, coordinates_, count_ = 0, all_ = 0,
                                                                               sets_ = 0;
  BufferOn<E, T> x_, asked_, target_, y_bar_, scale_, offset_;
  BufferOn<E, double> errors_, loss_;
  std::unique_ptr<PhysicsLoss<T, E>> physics_;
  std::vector<std::size_t> grid_;  // of the outputs, where there is physics
  BufferOn<E, T> begin_, begin_scale_, begin_offset_;
};

/// Training and test samples, inputs normalised; of a DeepONet the points of the outputs too, normalised, one
/// set for all samples or for each.
template <class T>
struct OperatorData {
  FieldData<T> x, y, points;
  std::vector<T> points_of(const std::vector<std::size_t>& samples, bool shared) const {
    const std::size_t size = points.points() * points.channels;
    if (shared || points.channels == 0) return points.values;
    std::vector<T> out;
    for (const std::size_t s : samples) {
      const auto from = points.values.begin() + std::ptrdiff_t((points.samples == 1 ? 0 : s) * size);
      out.insert(out.end(), from, from + std::ptrdiff_t(size));
    }
    return out;
  }
  void take(const std::vector<std::size_t>& samples, std::vector<T>& to_x, std::vector<T>& to_y) const {
    const auto gather = [&](const FieldData<T>& from, std::vector<T>& to) {
      const std::size_t size = from.points() * from.channels;
      to.resize(samples.size() * size);
      for (std::size_t i = 0; i < samples.size(); ++i)
        std::copy_n(from.values.begin() + std::ptrdiff_t(samples[i] * size), size,
                    to.begin() + std::ptrdiff_t(i * size));
    };
    gather(x, to_x);
    gather(y, to_y);
  }
};

/// The batch of TrainingState::generation. The last batch of an epoch may be smaller.
template <class T, class E>
class OperatorTask final : public Task<T, E> {
 public:
  OperatorTask(OperatorObjective<T, E>& objective, const OperatorData<T>& data, std::size_t batch,
               unsigned long seed, const TrainingState& state, bool shared_points = true,
               const FieldData<T>* further = nullptr)
      : objective_(objective),
        data_(data),
        batch_(batch),
        seed_(seed),
        state_(state),
        shared_points_(shared_points),
        further_(further) {}
  static long batches(std::size_t samples, std::size_t batch) { return long((samples + batch - 1) / batch); }

  Objective<T, E>& objective() override { return objective_; }
  void draw() override {
    const long each = batches(data_.x.samples, batch_), epoch = state_.generation / each;
    if (epoch != epoch_) order_ = epoch_order(data_.x.samples, seed_, epoch);
    epoch_ = epoch;
    const std::size_t first = std::size_t(state_.generation % each) * batch_;
    const std::size_t last = std::min(first + batch_, order_.size());
    const std::vector<std::size_t> samples(order_.begin() + std::ptrdiff_t(first),
                                           order_.begin() + std::ptrdiff_t(last));
    data_.take(samples, x_, y_);
    if (further_ != nullptr && further_->samples > 0) append_further();
    objective_.set(x_, y_, last - first, data_.points_of(samples, shared_points_));
  }
  double points_per_pass() const override { return double(batch_ * data_.y.points()); }
  /// Inputs without outputs in each pass.
  static std::size_t further_each(std::size_t samples, std::size_t batch) { return std::min(samples, batch); }

 private:
  /// The next ones of an order that goes on from epoch to epoch.
  void append_further() {
    const std::size_t each = further_each(further_->samples, batch_),
                      size = further_->points() * further_->channels, passes = further_->samples / each;
    const long round = state_.generation / long(passes);
    if (round != round_) further_order_ = epoch_order(further_->samples, seed_ + 1, round);
    round_ = round;
    for (std::size_t i = 0; i < each; ++i) {
      const std::size_t s = further_order_[std::size_t(state_.generation % long(passes)) * each + i];
      const auto from = further_->values.begin() + std::ptrdiff_t(s * size);
      x_.insert(x_.end(), from, from + std::ptrdiff_t(size));
    }
  }

  OperatorObjective<T, E>& objective_;
  const OperatorData<T>& data_;
  std::size_t batch_;
  unsigned long seed_;
  const TrainingState& state_;
  bool shared_points_;
  const FieldData<T>* further_;
  long epoch_ = -1, round_ = -1;
  std::vector<std::size_t> order_, further_order_;
  std::vector<T> x_, y_;
};

}  // namespace sobolev::detail
