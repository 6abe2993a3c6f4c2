// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training of an operator's model on either executor.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/operators/model_tensors.hpp"
#include "src/operators/operator_task.hpp"

namespace sobolev::detail {

/// Where a training stands: its checkpoint.
struct OperatorState {
  OperatorFile file;
  std::size_t axes = 0;
  ChannelNormaliser inputs, outputs;
  TrainingState training;
  std::vector<double> parameters;
  OperatorPlaces places;
  // With samples for validation: the parameters of the smallest error, and the epoch after which it was.
  // Empty before the first.
  std::vector<double> best;
  double best_error = 0;
  long best_epoch = 0;

  /// The best one, where errors of a validation say which it is.
  OperatorModel model() const {
    return {file, axes, inputs, outputs, best.empty() ? parameters : best, places};
  }
  FieldNetwork network() const {
    return file.network(axes, inputs.mean.size(), outputs.mean.size(), places.sensors,
                        places.points.mean.size());
  }
  void save(const std::filesystem::path& path, const std::function<void()>& before_rename) const;
  static OperatorState load(const std::filesystem::path& path);
};

/// T is the precision of the training.
template <class T, class E>
class OperatorRun final : public Surroundings {
  using Objective = OperatorObjective<T, E>;

 public:
  OperatorRun(const E& executor, OperatorState state, const OperatorTrainingOptions& options, bool resumed)
      : executor_(executor),
        state_(std::move(state)),
        options_(options),
        file_(state_.file),
        data_(file_.file),
        layout_(layout_of(file_)),
        steps_(file_.rollout && file_.unroll > 0 ? file_.unroll : layout_.steps),
        any_good_(resumed) {
    std::size_t there = count_samples(data_, layout_.parts[0].names);
    for (const OperatorLayout::Part& part : layout_.parts)
      there = std::min(there, count_samples(data_, part.names));
    const std::size_t further = file_.physics.any() ? file_.physics.samples : 0,
                      used = file_.train + further + file_.validation + file_.test;
    if (used > there)
      throw FileError(
          fmt::format("{}: {} samples for training, {} for validation and {} for tests are asked "
                      "for; there are {}",
                      file_.file.string(), file_.train + further, file_.validation, file_.test, there));
    const bool in_memory = double(used) * double(sample_bytes(data_, layout_, file_.stride, sizeof(T))) <=
                           memory_limit(file_.memory);
    const auto samples = [&](std::size_t first, std::size_t count) {
      return std::make_unique<OperatorSamples<T>>(data_, layout_, file_, first, count, in_memory);
    };
    train_ = samples(0, file_.train);
    further_ =
        std::make_unique<OperatorSamples<T>>(data_, layout_, file_, file_.train, further, in_memory, true);
    validation_ = samples(file_.train + further, file_.validation);
    first_test_ = there - file_.test;
    test_ = samples(first_test_, file_.test);
    const bool deeponet = file_.kind == OperatorKind::deeponet;
    if (!deeponet && train_->grid() != train_->output_grid())
      throw FileError(fmt::format("{}: {} and {} are on different grids", file_.file.string(),
                                  file_.inputs[0], file_.outputs[0]));
    state_.axes = train_->grid().size();
    const std::size_t in = layout_.inputs.size(), out = layout_.outputs.size();
    if (!resumed) {
      normalisers_ = {ChannelNormaliser::none(in), ChannelNormaliser::none(out), {}};
      if (file_.normalise || deeponet) {
        const Normalisers measured = normalisers(*train_, layout_);
        if (file_.normalise) normalisers_ = measured;
        normalisers_.points = measured.points;
      }
      // Without a weight the data must not enter by their size either.
      if (file_.physics.any() && file_.physics.data == 0)
        normalisers_.outputs = in == out ? normalisers_.inputs : ChannelNormaliser::none(out);
      state_.inputs = normalisers_.inputs;
      state_.outputs = normalisers_.outputs;
      if (deeponet) state_.places = {train_->grid(), train_->output_grid(), normalisers_.points};
      if (train_->repeats()) state_.places.grid = train_->output_grid();
    }
    normalisers_ = {state_.inputs, state_.outputs, state_.places.points};
    require(in == state_.inputs.mean.size() && out == state_.outputs.mean.size(), [&] {
      return fmt::format("{}: other channels than the model was trained on", file_.file.string());
    });
    if (deeponet) {
      require(train_->grid() == state_.places.sensors &&
                  train_->coordinates() == state_.places.points.mean.size(),
              [&] {
                return fmt::format("{}: other sensors or points than the model was trained on",
                                   file_.file.string());
              });
      query_ = {train_->output_grid(), train_->points_shared()};
    }
    const FieldNetwork network = state_.network();
    if (!resumed) state_.parameters = network.initial_parameters(file_.seed);
    batch_ = std::min(file_.batch, file_.train * windows());
    objective_ = std::make_unique<Objective>(
        executor, network, train_->grid(), batch_ + OperatorTask<T, E>::further_each(further, batch_),
        state_.outputs, layout_, steps_, file_.loss, file_.periodic, Objective::Use::training, query_,
        train_->coordinates(), true, &file_.physics, &state_.inputs);
    seconds_before_ = state_.training.seconds;
    start_ = last_progress_ = last_checkpoint_ = Clock::now();
  }

  OperatorTraining train() {
    TrainingState& training = state_.training;
    const long batches = OperatorTask<T, E>::batches(file_.train * windows(), batch_);
    batches_ = batches;
    if (!training.finished) {
      OperatorTask<T, E> task(*objective_, *train_, layout_, normalisers_, file_, batch_, steps_,
                              query_.shared, training, further_.get());
      const TrainingOptions options = training_options(batches);
      task.draw();
      Loop<T, E> loop(executor_, task, options, training, state_.parameters, *this);
      if (loop.phases(1) == Next::next_phase) {
        training.finished = true;
        training.stopped_because = "all epochs done";
      }
      training.seconds = elapsed();
    }
    OperatorTraining out;
    out.model = state_.model();
    const auto test = errors(*test_, file_.test, out.model.parameters());
    out.test_errors = test.l2;
    out.test_h1_errors = test.h1;
    if (file_.rollout)
      for (const double sum : test.steps_sum)
        out.step_errors.push_back(sum / double(std::max<std::size_t>(1, file_.test)));
    out.train_errors =
        errors(*train_, std::min(file_.train, std::max<std::size_t>(1, file_.test)), out.model.parameters())
            .l2;
    if (!state_.best.empty()) {
      out.validation_error = state_.best_error;
      out.best_epoch = state_.best_epoch;
    }
    if (!options_.checkpoint.empty()) save();
    if (file_.test > 0) {
      out.sample_input = read_fields<double>(data_, file_.inputs, first_test_, 1, file_.stride);
      out.sample_target = read_fields<double>(data_, file_.outputs, first_test_, 1, file_.stride);
      if (file_.rollout)
        out.sample_output = out.model.roll_out(executor_, out.sample_input, layout_.steps);
      else if (file_.points.empty())
        out.sample_output = out.model.apply(executor_, out.sample_input);
      else
        out.sample_output =
            out.model.apply(executor_, out.sample_input,
                            read_points<double>(data_, file_.points, count_samples(data_, file_.inputs),
                                                first_test_, 1, out.sample_target.points()));
    }
    out.history = training.history;
    out.seconds = training.seconds;
    out.loss = training.loss;
    out.iterations = training.iterations;
    out.epochs = training.iterations / batches;
    out.finished = training.finished;
    out.stopped_because = training.stopped_because;
    return out;
  }

  double elapsed() const override { return seconds_before_ + since(start_); }
  bool has_reference() const override { return file_.validation > 0 || file_.test > 0; }
  /// Of the validation, where there is one.
  double worst_error() override {
    return file_.validation > 0 ? mean_error(*validation_) : mean_error(*test_);
  }
  std::optional<std::string> epoch_over() override {
    if (file_.validation == 0) return {};
    TrainingState& training = state_.training;
    const double error = mean_error(*validation_);
    const long epoch = training.iterations / batches_;
    if (training.history.empty() || training.history.back().iteration != training.iterations)
      training.history.push_back({training.iterations, 0, 0, elapsed(), training.loss, {}});
    training.history.back().relative_l2 = error;
    if (state_.best.empty() || error < state_.best_error) {
      state_.best = state_.parameters;
      state_.best_error = error;
      state_.best_epoch = epoch;
    } else if (file_.early_stop > 0 && epoch - state_.best_epoch >= file_.early_stop) {
      return fmt::format("no smaller error of the validation in {} epochs", file_.early_stop);
    }
    return {};
  }
  double worst_residual() override { return 0; }
  bool interrupted() const override { return options_.stop && options_.stop->load(); }
  bool wants_progress() const override {
    return options_.on_progress && since(last_progress_) > options_.progress_seconds;
  }
  void progress(const Progress& progress) override {
    last_progress_ = Clock::now();
    Progress shown = progress;
    shown.row.residual.reset();
    options_.on_progress(shown);
  }
  bool wants_checkpoint() const override {
    return !options_.checkpoint.empty() && since(last_checkpoint_) > options_.checkpoint_seconds;
  }
  /// A disk that is full for a while must not end a training.
  void checkpoint() override {
    try {
      save();
    } catch (const FileError& error) {
      if (options_.on_warning)
        options_.on_warning(
            fmt::format("the state after {} iterations is not saved: {}; the training goes on",
                        state_.training.iterations, error.what()));
    }
    last_checkpoint_ = Clock::now();
  }
  void good() override { any_good_ = true; }
  [[noreturn]] void diverged(const std::string& message) override {
    state_.training.stopped_because = "diverged";
    state_.training.seconds = elapsed();
    if (!any_good_ || options_.checkpoint.empty()) throw DivergenceError(message);
    save();
    throw DivergenceError(fmt::format("{}. The last state with a finite loss, after {} iterations, is in {}",
                                      message, state_.training.iterations, options_.checkpoint.string()));
  }

 private:
  /// In which a sample can be begun.
  std::size_t windows() const { return layout_.steps - steps_ + 1; }
  TrainingOptions training_options(long batches) const {
    TrainingOptions options;
    options.seed = file_.seed;
    options.points.resample_every = 1;
    options.stop.seconds = file_.seconds;
    PhaseOptions phase;
    phase.optimizer = OptimizerKind::adam;
    phase.iterations = file_.epochs * batches;
    phase.learning_rate = file_.learning_rate;
    phase.weight_decay = file_.weight_decay;
    phase.decay_factor = file_.schedule == LearningRateSchedule::step ? file_.decay_factor : 1;
    phase.decay_every = file_.decay_every * batches;
    phase.cosine = file_.schedule == LearningRateSchedule::cosine ? phase.iterations : 0;
    phase.one_cycle = file_.schedule == LearningRateSchedule::one_cycle ? phase.iterations : 0;
    phase.pct_start = file_.pct_start;
    phase.div = file_.div;
    phase.final_div = file_.final_div;
    options.phases = {phase};
    return options;
  }
  /// Of the first samples; of a roll-out from their first times to the last.
  typename Objective::Errors errors(const OperatorSamples<T>& samples, std::size_t count,
                                    const std::vector<double>& parameters) {
    const std::vector<T> host(parameters.begin(), parameters.end());
    auto theta = zeros<T>(executor_, host.size());
    upload<T, 1>(executor_, View<const T, 1>(host.data(), host.size()),
                 View<T, 1>(theta.data(), host.size()));
    const std::size_t together = std::min(batch_, std::max(file_.train, file_.test));
    if (!measuring_)  // a network of its own: the one in training keeps what its next pass needs
      measuring_ = std::make_unique<Objective>(executor_, state_.network(), train_->grid(), together,
                                               state_.outputs, layout_, layout_.steps, file_.loss,
                                               file_.periodic, Objective::Use::inference, query_,
                                               train_->coordinates(), file_.points.empty());
    typename Objective::Errors all;
    all.steps_sum.assign(layout_.steps, 0);
    OperatorBatch<T> batch;
    for (std::size_t s = 0; s < count; s += together) {
      std::vector<Window> windows;
      for (std::size_t i = s; i < std::min(s + together, count); ++i) windows.push_back({i, 0});
      gather(samples, layout_, normalisers_, windows, layout_.steps, query_.shared, batch);
      measuring_->set(batch);
      const auto some = measuring_->errors(View<const T, 1>(theta.data(), theta.size()));
      all.l2.insert(all.l2.end(), some.l2.begin(), some.l2.end());
      all.h1.insert(all.h1.end(), some.h1.begin(), some.h1.end());
      for (std::size_t i = 0; i < layout_.steps; ++i) all.steps_sum[i] += some.steps_sum[i];
    }
    return all;
  }
  /// By the state's parameters.
  double mean_error(const OperatorSamples<T>& samples) {
    const std::vector<double> all = errors(samples, samples.size(), state_.parameters).l2;
    return std::accumulate(all.begin(), all.end(), 0.0) / double(all.size());
  }
  void save() {
    state_.save(options_.checkpoint, [&] {
      if (!saved_once_ && options_.before_first_checkpoint) options_.before_first_checkpoint();
      saved_once_ = true;
    });
  }

  E executor_;
  OperatorState state_;
  const OperatorTrainingOptions& options_;
  const OperatorFile& file_;
  ArrayFile data_;
  OperatorLayout layout_;
  std::size_t steps_;  // of a pass in training
  std::unique_ptr<OperatorSamples<T>> train_, further_, validation_,
      test_;  // further: inputs of equations alone
  std::size_t batch_ = 1, first_test_ = 0;
  long batches_ = 1;  // of an epoch
  Normalisers normalisers_;
  QueryPoints query_;
  std::unique_ptr<Objective> objective_, measuring_;
  Clock::time_point start_, last_progress_, last_checkpoint_;
  double seconds_before_ = 0;
  bool any_good_, saved_once_ = false;
};

template <class E>
OperatorTraining run_operator(const E& executor, OperatorState state, const OperatorTrainingOptions& options,
                              bool resumed) {
  if (state.file.precision == Precision::float32)
    return OperatorRun<float, E>(executor, std::move(state), options, resumed).train();
  return OperatorRun<double, E>(executor, std::move(state), options, resumed).train();
}

}  // namespace sobolev::detail
