// SPDX-License-Identifier: Apache-2.0
#pragma once
// The batches of a training.
#include <algorithm>
#include <future>

#include "src/operators/operator_objective.hpp"
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

/// The batch of TrainingState::generation. The last batch of an epoch may be smaller. Of a roll-out an epoch
/// goes through all windows of all samples. Samples that are not in memory are read by a second thread, one
/// batch ahead.
template <class T, class E>
class OperatorTask final : public Task<T, E> {
 public:
  OperatorTask(OperatorObjective<T, E>& objective, const OperatorSamples<T>& samples,
               const OperatorLayout& layout, const Normalisers& normalisers, const OperatorFile& file,
               std::size_t batch, std::size_t steps, bool points_shared, const TrainingState& state,
               const OperatorSamples<T>* further = nullptr)
      : objective_(objective),
        samples_(samples),
        layout_(layout),
        normalisers_(normalisers),
        file_(file),
        batch_(batch),
        steps_(steps),
        windows_(layout.steps - steps + 1),
        points_shared_(points_shared),
        state_(state),
        further_(further) {}
  static long batches(std::size_t samples, std::size_t batch) { return long((samples + batch - 1) / batch); }

  Objective<T, E>& objective() override { return objective_; }
  void draw() override {
    const long generation = state_.generation;
    if (next_.valid() && next_generation_ == generation) {
      batch_now_ = next_.get();
    } else {
      if (next_.valid()) next_.wait();  // of a way that the training did not go on
      batch_now_ = load(generation);
    }
    objective_.set(batch_now_);
    if (file_.noise > 0) {
      const std::uint64_t stream = (std::uint64_t(1) << 41) + std::uint64_t(generation);
      objective_.disturb(file_.noise, Philox(file_.seed, stream));
    }
    if (samples_.in_memory()) return;
    next_generation_ = generation + 1;
    next_ = std::async(std::launch::async, [this, generation] { return load(generation + 1); });
  }
  /// Inputs without outputs in each pass, of which equations are asked.
  static std::size_t further_each(std::size_t samples, std::size_t batch) { return std::min(samples, batch); }
  double points_per_pass() const override { return double(batch_ * samples_.output_points()); }
  long epoch() const override {
    return file_.validation > 0 ? batches(samples_.size() * windows_, batch_) : 0;
  }

 private:
  /// Two of them never run at once.
  OperatorBatch<T> load(long generation) {
    const std::size_t all = samples_.size() * windows_;
    const long each = batches(all, batch_), epoch = generation / each;
    if (epoch != epoch_) order_ = epoch_order(all, file_.seed, epoch);
    epoch_ = epoch;
    const std::size_t first = std::size_t(generation % each) * batch_;
    std::vector<Window> windows;
    for (std::size_t i = first; i < std::min(first + batch_, all); ++i)
      windows.push_back({order_[i] / windows_, order_[i] % windows_});
    OperatorBatch<T> batch;
    gather(samples_, layout_, normalisers_, windows, steps_, points_shared_, batch);
    if (further_ != nullptr && further_->size() > 0) append_further(generation, batch);
    return batch;
  }
  /// The next ones of an order that goes on from epoch to epoch.
  void append_further(long generation, OperatorBatch<T>& batch) {
    const std::size_t each = further_each(further_->size(), batch_);
    const long passes = long(further_->size() / each), round = generation / passes;
    if (round != round_) further_order_ = epoch_order(further_->size(), file_.seed + 1, round);
    round_ = round;
    for (std::size_t i = 0; i < each; ++i)
      append_inputs(*further_, layout_, normalisers_.inputs,
                    {further_order_[std::size_t(generation % passes) * each + i], 0}, batch.x);
  }

  OperatorObjective<T, E>& objective_;
  const OperatorSamples<T>& samples_;
  const OperatorLayout& layout_;
  const Normalisers& normalisers_;
  const OperatorFile& file_;
  std::size_t batch_, steps_, windows_;
  bool points_shared_;
  const TrainingState& state_;
  const OperatorSamples<T>* further_;
  long epoch_ = -1, round_ = -1;
  std::vector<std::size_t> order_, further_order_;
  OperatorBatch<T> batch_now_;
  long next_generation_ = -1;
  std::future<OperatorBatch<T>> next_;  // the last member: its destructor waits for the thread
};

}  // namespace sobolev::detail
