// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/core/error.hpp"
#include "sobolev/data/field_data.hpp"
#include "sobolev/expression/expr.hpp"
#include "sobolev/operators/field_network.hpp"
#include "sobolev/problem/problem.hpp"
#include "sobolev/training/progress.hpp"

namespace sobolev {

enum class LearningRateSchedule { constant, step, cosine, one_cycle };
inline constexpr std::array learning_rate_schedules{"constant", "step", "cosine", "one_cycle"};

/// What a training lowers, relative and by sample: relative_l2.hpp, and relative_h1.hpp by differences or in
/// the Fourier norm.
enum class OperatorLoss { l2, h1, h1_fourier };
inline constexpr std::array operator_losses{"l2", "h1", "h1_fourier"};

enum class OperatorKind { fno, deeponet, mgno };
inline constexpr std::array operator_kinds{"fno", "deeponet", "mgno"};
/// Of a DeepONet's hidden layers; the words of FieldActivation.
inline constexpr std::array field_activations{"identity", "gelu", "tanh"};

/// Equations that the outputs are trained to satisfy on their grid: those of a physics-informed neural
/// operator.
struct PhysicsOptions {
  struct Axis {
    std::string name;
    double low = 0, high = 1;  // of the last point, or one step behind it on a periodic axis
    bool periodic = false;
  };
  struct Equation {
    std::string name;
    Expr residual;  // left − right
  };
  std::vector<Axis> axes;             // of the outputs' grid, in order
  std::vector<std::string> unknowns;  // the outputs
  std::vector<Equation> equations;
  double weight = 1, data = 1, initial = 0;  // of residuals, data and the input as the first axis' begin
  int order = 4;                             // of finite differences
  std::size_t samples = 0;                   // further ones, whose inputs alone are used
  bool any() const { return !equations.empty() || initial > 0; }
};

/// A model of an operator and how it is trained: what a model file says (docs/operators.md).
struct OperatorFile {
  // [model]
  OperatorKind kind = OperatorKind::fno;
  std::vector<std::size_t> modes;      // by axis, as the papers count them; one number: of every axis
  std::vector<ModeRange> frequencies;  // instead, by axis
  std::size_t width = 32, lifting = 0, projection = 128, channel_mlp = 0;
  int layers = 4;
  std::vector<std::size_t> padding;  // points behind the field's end, by axis; one number: of every axis
  bool coordinates = true;
  bool end_point =
      true;  // coordinates go from 0 to 1 at the last point; else to 1 − 1/n, as on periodic grids
  std::vector<std::size_t> branch{40, 40}, trunk{40, 40};  // hidden channels of a DeepONet's networks
  std::size_t basis = 40;                                  // its functions for each output
  FieldActivation activation = FieldActivation::tanh;
  MultigridOptions cycle;  // of MgNO; its channels are the width
  bool norm = false, skip = true, residual = false;
  // [data]
  std::filesystem::path file;
  std::string points;                        // the array of the points where a DeepONet's outputs lie
  std::vector<std::string> inputs, outputs;  // FieldName
  std::size_t train = 0, validation = 0;     // the first samples of the file, and those after them
  std::size_t test = 0, stride = 1;          // its last samples
  bool rollout = false;                      // the outputs are made one time after another
  bool periodic = false;                     // the fields: in the differences of H1 norms
  double memory = 0;                         // GiB; samples that take more are read batch by batch. 0: half
                                             // of the machine's
  bool normalise = true;
  // [physics]
  PhysicsOptions physics;
  // [training]
  std::size_t batch = 20;
  long epochs = 100;
  double seconds = 0;  // 0: no limit
  OperatorLoss loss = OperatorLoss::l2;
  std::size_t unroll = 0;  // steps of a roll-out in training; 0: all
  double noise = 0;        // on inputs, in deviations
  long early_stop = 0;     // epochs without a smaller error of the validation; 0: never
  double learning_rate = 1e-3, weight_decay = 0, decay_factor = 0.5;
  long decay_every = 100;                            // epochs
  double pct_start = 0.2, div = 2, final_div = 100;  // of one_cycle: AdamOptions
  LearningRateSchedule schedule = LearningRateSchedule::cosine;
  Precision precision = Precision::float32;
  unsigned long seed = 0;

  std::string title, name, source;  // of the file: title, stem, text with overrides applied
  std::map<std::string, SourcePosition> positions;

  /// Throws ParseError with file, line and column, or FileError. Overrides as for Problem::from_file.
  static OperatorFile from_file(const std::filesystem::path& path,
                                const std::vector<std::string>& overrides = {});
  static OperatorFile from_string(std::string_view text, const std::string& file_name = "<text>",
                                  const std::vector<std::string>& overrides = {});
  /// On grids of so many axes. ArgumentError where modes or padding are of others. A DeepONet's needs to know
  /// the grid of its sensors and how many coordinates its points have.
  FieldNetwork network(std::size_t axes, std::size_t inputs, std::size_t outputs,
                       const std::vector<std::size_t>& sensors = {}, std::size_t coordinates = 1) const;
};

/// The file of a model given by path or by name among those that ship with the library; FileError lists near
/// names.
std::filesystem::path find_model(const std::string& path_or_name);
/// Names and paths of those, sorted by name.
std::vector<std::pair<std::string, std::filesystem::path>> shipped_models();

/// (x − mean)/deviation, channel by channel.
struct ChannelNormaliser {
  std::vector<double> mean, deviation;
  template <class T>
  static ChannelNormaliser of(const FieldData<T>& data);
  static ChannelNormaliser none(std::size_t channels);
  /// Of numbers with channels last.
  template <class T>
  std::vector<T> normalised(const std::vector<T>& values) const;
};

/// Where a DeepONet takes its input and where it answers. Of an FNO only the grid, and that where the input
/// has fewer axes than the outputs: it is the same along the first ones.
struct OperatorPlaces {
  std::vector<std::size_t> sensors;  // the grid of a DeepONet's input
  std::vector<std::size_t> grid;     // of the outputs in the training
  ChannelNormaliser points;          // of the points' coordinates
};
/// The points of a grid from 0 to 1 along each axis, at the last point or, without end_point, one step behind
/// it: one sample of [N, axes].
template <class T>
FieldData<T> grid_points(const std::vector<std::size_t>& grid, bool end_point);

/// A field that does not depend on the first axes of a grid, on all of it. ArgumentError where its own axes
/// are not the grid's last ones.
template <class T>
FieldData<T> repeated(const FieldData<T>& x, const std::vector<std::size_t>& grid);

/// A trained model of an operator.
class OperatorModel {
 public:
  OperatorModel() = default;
  OperatorModel(OperatorFile file, std::size_t axes, ChannelNormaliser inputs, ChannelNormaliser outputs,
                std::vector<double> parameters, OperatorPlaces places = {});

  const OperatorFile& file() const { return file_; }
  std::size_t axes() const { return axes_; }
  std::size_t inputs() const { return inputs_.mean.size(); }
  std::size_t outputs() const { return outputs_.mean.size(); }
  const ChannelNormaliser& input_normaliser() const { return inputs_; }
  const ChannelNormaliser& output_normaliser() const { return outputs_; }
  const std::vector<double>& parameters() const { return parameters_; }
  const OperatorPlaces& places() const { return places_; }
  FieldNetwork network() const {
    return file_.network(axes_, inputs(), outputs(), places_.sensors, places_.points.mean.size());
  }

  /// What the operator makes of fields on any grid of its axes; a DeepONet, of fields at its sensors, on the
  /// grid it was trained on.
  template <class T>
  FieldData<T> apply(const Cpu&, const FieldData<T>& x) const;
  template <class T>
  FieldData<T> apply(const Cuda&, const FieldData<T>& x) const;
  /// Of a model with data.rollout: so many times after those of x, each from those before it. The channels of
  /// the result are the first output at all times, then the next one. ArgumentError of other models.
  template <class T>
  FieldData<T> roll_out(const Cpu&, const FieldData<T>& x, std::size_t steps) const;
  template <class T>
  FieldData<T> roll_out(const Cuda&, const FieldData<T>& x, std::size_t steps) const;
  /// What a DeepONet makes of them at points of its coordinates: of one sample for all, or as many as x.
  template <class T>
  FieldData<T> apply(const Cpu&, const FieldData<T>& x, const FieldData<T>& points) const;
  template <class T>
  FieldData<T> apply(const Cuda&, const FieldData<T>& x, const FieldData<T>& points) const;

  /// A safetensors file that holds all of it; load() throws FileError that says what is wrong in one.
  void save(const std::filesystem::path& path, const std::function<void()>& before_rename = {}) const;
  static OperatorModel load(const std::filesystem::path& path);

 private:
  OperatorFile file_;
  std::size_t axes_ = 0;
  ChannelNormaliser inputs_, outputs_;
  std::vector<double> parameters_;
  OperatorPlaces places_;
};

struct OperatorTrainingOptions {
  std::function<void(const Progress&)> on_progress;
  std::function<void(const std::string&)> on_warning;
  double progress_seconds = 1;
  const std::atomic<bool>* stop = nullptr;
  std::filesystem::path checkpoint;  // empty: none
  double checkpoint_seconds = 60;
  std::function<void()> before_first_checkpoint;
};

/// What came out of a training.
struct OperatorTraining {
  OperatorModel model;
  FieldData<double> sample_input, sample_output, sample_target;  // the first test sample, in the data's units
  std::vector<HistoryRow> history;
  std::vector<double> test_errors;     // relative L2, by sample; of a roll-out over all its times
  std::vector<double> test_h1_errors;  // relative H1, of the training's kind or by differences
  std::vector<double> step_errors;     // of a roll-out: relative L2 of each time, mean over the test samples
  std::vector<double> train_errors;    // of as many samples of the training
  std::optional<double> validation_error;  // the smallest, which the model has; mean over the samples
  long best_epoch = 0;                     // where it was
  double seconds = 0, loss = 0;
  long iterations = 0, epochs = 0;
  bool finished = false;
  std::string stopped_because;
};

/// Trains on the file's data, or goes on from a checkpoint of such a training (to the bits of one that was
/// never interrupted). Each epoch goes through the samples in an order of its own.
OperatorTraining train_operator(const Cpu& host, const OperatorFile& file,
                                const OperatorTrainingOptions& options = {});
OperatorTraining train_operator(const Cuda& device, const OperatorFile& file,
                                const OperatorTrainingOptions& options = {});
OperatorTraining resume_operator(const Cpu& host, const std::filesystem::path& checkpoint,
                                 const OperatorTrainingOptions& options = {});
OperatorTraining resume_operator(const Cuda& device, const std::filesystem::path& checkpoint,
                                 const OperatorTrainingOptions& options = {});

}  // namespace sobolev
