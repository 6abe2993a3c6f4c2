// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training of an operator's model on either executor.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/operators/model_tensors.hpp"
#include "src/operators/operator_objective.hpp"

namespace sobolev::detail {

/// Where a training stands: its checkpoint.
struct OperatorState {
  OperatorFile file;
  std::size_t axes = 0;
  ChannelNormaliser inputs, outputs;
  TrainingState training;
  std::vector<double> parameters;
  OperatorPlaces places = {};

  OperatorModel model() const { return {file, axes, inputs, outputs, parameters, places}; }
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
 public:
  OperatorRun(const E& executor, OperatorState state, const OperatorTrainingOptions& options, bool resumed)
      : executor_(executor),
        state_(std::move(state)),
        options_(options),
        file_(state_.file),
        any_good_(resumed) {
    const ArrayFile data(file_.file);
    const std::size_t there = std::min(count_samples(data, file_.inputs), count_samples(data, file_.outputs));
    const std::size_t further = file_.physics.any() ? file_.physics.samples : 0;
    if (file_.train + further + file_.test > there)
      throw FileError(fmt::format("{}: {} samples for training and {} for tests are asked for; there are {}",
                                  file_.file.string(), file_.train + further, file_.test, there));
    train_ = read(data, 0, file_.train);
    test_ = read(data, there - file_.test, file_.test);
    state_.axes = train_.x.grid.size();
    further_.samples = 0;
    if (further > 0) {
      further_ = read_fields<T>(data, file_.inputs, file_.train, further, file_.stride);
      check_finite(further_, file_.inputs[0], file_.train);
      if (repeats_) further_ = repeated(further_, train_.x.grid);
    }
    if (!resumed) {
      state_.inputs =
          file_.normalise ? ChannelNormaliser::of(train_.x) : ChannelNormaliser::none(train_.x.channels);
      // Without a weight the data must not enter by their size either.
      state_.outputs =
          file_.physics.any() && file_.physics.data == 0
              ? (train_.x.channels == train_.y.channels ? state_.inputs
                                                        : ChannelNormaliser::none(train_.y.channels))
          : file_.normalise ? ChannelNormaliser::of(train_.y)
                            : ChannelNormaliser::none(train_.y.channels);
      if (file_.kind == OperatorKind::deeponet)
        state_.places = {train_.x.grid, train_.y.grid, ChannelNormaliser::of(train_.points)};
      else if (repeats_)
        state_.places.grid = train_.y.grid;
    }
    require(
        train_.x.channels == state_.inputs.mean.size() && train_.y.channels == state_.outputs.mean.size(),
        [&] { return fmt::format("{}: other channels than the model was trained on", file_.file.string()); });
    for (FieldData<T>* x : {&train_.x, &test_.x, &further_})
      if (x->samples > 0) x->values = state_.inputs.normalised(x->values);
    if (file_.kind == OperatorKind::deeponet) {
      require(train_.x.grid == state_.places.sensors &&
                  train_.points.channels == state_.places.points.mean.size(),
              [&] {
                return fmt::format("{}: other sensors or points than the model was trained on",
                                   file_.file.string());
              });
      for (OperatorData<T>* d : {&train_, &test_})
        d->points.values = state_.places.points.normalised(d->points.values);
      query_ = {train_.y.grid, train_.points.samples == 1 && test_.points.samples <= 1};
    }
    const FieldNetwork network = state_.network();
    if (!resumed) state_.parameters = network.initial_parameters(file_.seed);
    batch_ = std::min(file_.batch, file_.train);
    using Objective = OperatorObjective<T, E>;
    objective_ = std::make_unique<Objective>(executor, network, train_.x.grid,
                                             batch_ + OperatorTask<T, E>::further_each(further, batch_),
                                             state_.outputs, Objective::Use::training, query_,
                                             train_.points.channels, &file_.physics, &state_.inputs);
    seconds_before_ = state_.training.seconds;
    start_ = last_progress_ = last_checkpoint_ = Clock::now();
  }

  OperatorTraining train() {
    TrainingState& training = state_.training;
    const long batches = OperatorTask<T, E>::batches(file_.train, batch_);
    if (!training.finished) {
      OperatorTask<T, E> task(*objective_, train_, batch_, file_.seed, training, query_.shared, &further_);
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
    out.test_errors = errors(test_, file_.test);
    out.train_errors = errors(train_, std::min(file_.train, std::max<std::size_t>(1, file_.test)));
    if (!options_.checkpoint.empty()) save();
    out.model = state_.model();
    if (file_.test > 0) {
      const ArrayFile data(file_.file);
      const std::size_t at =
          std::min(count_samples(data, file_.inputs), count_samples(data, file_.outputs)) - file_.test;
      out.sample_input = read_fields<double>(data, file_.inputs, at, 1, file_.stride);
      out.sample_target = read_fields<double>(data, file_.outputs, at, 1, file_.stride);
      if (file_.points.empty())
        out.sample_output = out.model.apply(executor_, out.sample_input);
      else
        out.sample_output =
            out.model.apply(executor_, out.sample_input,
                            read_points<double>(data, file_.points, count_samples(data, file_.inputs), at, 1,
                                                out.sample_target.points()));
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
  bool has_reference() const override { return file_.test > 0; }
  double worst_error() override {
    const std::vector<double> all = errors(test_, file_.test);
    return std::accumulate(all.begin(), all.end(), 0.0) / double(all.size());
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
  OperatorData<T> read(const ArrayFile& data, std::size_t first, std::size_t count) {
    OperatorData<T> out{read_fields<T>(data, file_.inputs, first, count, file_.stride),
                        read_fields<T>(data, file_.outputs, first, count, file_.stride),
                        {}};
    if (file_.kind == OperatorKind::deeponet)
      out.points = file_.points.empty()
                       ? grid_points<T>(out.y.grid, file_.end_point)
                       : read_points<T>(data, file_.points, count_samples(data, file_.inputs), first, count,
                                        out.y.points());
    else if (out.x.grid.size() < out.y.grid.size() &&
             std::equal(out.x.grid.rbegin(), out.x.grid.rend(), out.y.grid.rbegin())) {
      out.x = repeated(out.x, out.y.grid);
      repeats_ = true;
    } else if (out.x.grid != out.y.grid)
      throw FileError(fmt::format("{}: {} and {} are on different grids", file_.file.string(),
                                  file_.inputs[0], file_.outputs[0]));
    check_finite(out.x, file_.inputs[0], first);
    check_finite(out.y, file_.outputs[0], first);
    check_finite(out.points, file_.points, first);
    return out;
  }
  void check_finite(const FieldData<T>& field, const std::string& name, std::size_t first) const {
    for (std::size_t i = 0; i < field.values.size(); ++i)
      if (!std::isfinite(field.values[i]))
        throw FileError(fmt::format("{}: sample {} of {} contains {}; data must be finite numbers",
                                    file_.file.string(), first + i / (field.points() * field.channels), name,
                                    field.values[i]));
  }
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
    options.phases = {phase};
    return options;
  }
  /// Relative L2 of the first samples, by the state's parameters. Another batch is set: the loop's is drawn
  /// again.
  std::vector<double> errors(const OperatorData<T>& data, std::size_t count) {
    const std::vector<T> host(state_.parameters.begin(), state_.parameters.end());
    auto theta = zeros<T>(executor_, host.size());
    upload<T, 1>(executor_, View<const T, 1>(host.data(), host.size()),
                 View<T, 1>(theta.data(), host.size()));
    using Measuring = OperatorObjective<T, E>;
    if (!measuring_)  // a network of its own: the one in training keeps what its next pass needs
      measuring_ =
          std::make_unique<Measuring>(executor_, state_.network(), train_.x.grid, batch_, state_.outputs,
                                      Measuring::Use::inference, query_, train_.points.channels);
    std::vector<double> all;
    std::vector<T> x, y;
    for (std::size_t s = 0; s < count; s += batch_) {
      std::vector<std::size_t> samples(std::min(batch_, count - s));
      std::iota(samples.begin(), samples.end(), s);
      data.take(samples, x, y);
      measuring_->set(x, y, samples.size(), data.points_of(samples, query_.shared));
      const auto some = measuring_->errors(View<const T, 1>(theta.data(), theta.size()));
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
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
  OperatorData<T> train_, test_;
  FieldData<T> further_;  // inputs of equations alone
  std::size_t batch_ = 1;
  QueryPoints query_;
  bool repeats_ = false;  // the input along the first axes of the outputs' grid
  std::unique_ptr<OperatorObjective<T, E>> objective_, measuring_;
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
