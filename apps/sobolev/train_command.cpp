// SPDX-License-Identifier: Apache-2.0
// sobolev train: a model of an operator from data, its results and report.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/earlier_files.hpp"
#include "apps/sobolev/progress.hpp"
#include "apps/sobolev/results.hpp"
#include "apps/sobolev/stop_signals.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/folder_lock.hpp"
#include "sobolev/io/report.hpp"
#include "sobolev/operators/operator_model.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev::app {
namespace {
double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}
double worst(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

nlohmann::ordered_json result_of(const DeviceChoice& device, const Cpu& host,
                                 const OperatorTraining& training) {
  const OperatorFile& file = training.model.file();
  nlohmann::ordered_json result{
      {"model", file.name},
      {"title", file.title},
      {"data", file.file.string()},
      {"device", device.cuda ? fmt::format("cuda:{}", device.index) : "cpu"},
      {"processor", device.cuda ? cuda_device_names().at(std::size_t(device.index)) : Cpu::processor()},
      {"instruction_set", Cpu::instruction_set()},
      {"precision", precisions[std::size_t(file.precision)]},
      {"seed", file.seed},
      {"threads", host.threads()},
      {"parameters", training.model.parameters().size()},
      {"samples", file.train},
      {"epochs", training.epochs},
      {"iterations", training.iterations},
      {"seconds", training.seconds},
      {"loss", training.loss},
      {"train", {{"relative_l2", mean(training.train_errors)}, {"samples", training.train_errors.size()}}}};
  if (training.validation_error)
    result["validation"] = {{"relative_l2", *training.validation_error},
                            {"epoch", training.best_epoch},
                            {"samples", file.validation}};
  if (!training.test_errors.empty()) {
    result["test"] = {{"relative_l2", mean(training.test_errors)},
                      {"worst", worst(training.test_errors)},
                      {"samples", training.test_errors.size()}};
    if (!training.test_h1_errors.empty()) {
      result["test"]["relative_h1"] = mean(training.test_h1_errors);
      result["test"]["h1"] = file.loss == OperatorLoss::h1_fourier ? "fourier" : "differences";
    }
    if (!training.step_errors.empty()) result["test"]["steps"] = training.step_errors;
  }
  result["finished"] = training.finished;
  result["stopped_because"] = training.stopped_because;
  result["version"] = version();
  return result;
}

std::string history_of(const OperatorTraining& training) {
  std::string text = fmt::format("iteration,seconds,loss,{}_relative_l2\n",
                                 training.model.file().validation > 0 ? "validation" : "test");
  for (const HistoryRow& row : training.history)
    text += fmt::format("{},{},{},{}\n", row.iteration, row.seconds, row.loss,
                        row.relative_l2 ? fmt::format("{}", *row.relative_l2) : "");
  return text;
}

/// Channel c of the first test sample.
std::vector<double> channel(const FieldData<double>& field, std::size_t c) {
  std::vector<double> out;
  for (std::size_t p = 0; p < field.points(); ++p) out.push_back(field.values[p * field.channels + c]);
  return out;
}

/// "u[10]" of "u[10:20]": each channel of the outputs, of a roll-out at all its times.
std::vector<std::string> channel_names(const OperatorFile& file) {
  std::vector<std::string> out;
  for (const std::string& output : file.outputs) {
    const FieldName name = FieldName::parse(output);
    if (!name.times) out.push_back(name.array);
    for (std::size_t t = name.first; t < name.last; ++t) out.push_back(fmt::format("{}[{}]", name.array, t));
  }
  return out;
}

void add_sample(const OperatorTraining& training, Report& report) {
  const FieldData<double>& target = training.sample_target;
  report.fields_heading = "The first test sample";
  const char* names[] = {"x", "y", "z"};
  for (std::size_t a = 0; a < target.grid.size(); ++a) {
    report.coordinates.emplace_back(names[a]);
    std::vector<double> axis(target.grid[a]);
    for (std::size_t i = 0; i < axis.size(); ++i) axis[i] = double(i);
    report.axes.push_back(std::move(axis));
  }
  const std::vector<std::string> channels = channel_names(training.model.file());
  const std::size_t last = target.channels - 1;
  for (const std::size_t c : std::set<std::size_t>{0, last / 2, last}) {
    report.prediction[channels.at(c)] = channel(training.sample_output, c);
    report.reference[channels.at(c)] = channel(target, c);
  }
}

void add_curves(const OperatorTraining& training, Report& report) {
  std::vector<double> sorted = training.test_errors, share;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) share.push_back(double(i + 1) / double(sorted.size()));
  if (sorted.size() > 1 && sorted.front() > 0) {
    Report::Curves curves;
    curves.caption = "How many test samples have at most which error";
    curves.x = "relative L2 error";
    curves.y = "share of the samples";
    curves.logarithmic_x = true;
    curves.lines.push_back({"test", sorted, share});
    report.curves.push_back(std::move(curves));
  }
  if (training.step_errors.size() > 1) {
    Report::Curves curves;
    curves.caption = "The error of each time of the roll-out, mean over the test samples";
    curves.x = "step";
    curves.y = "relative L2 error";
    std::vector<double> steps(training.step_errors.size());
    std::iota(steps.begin(), steps.end(), 1.0);
    curves.lines.push_back({"test", steps, training.step_errors});
    report.curves.push_back(std::move(curves));
  }
  if (!report.curves.empty()) report.curves_heading = "Errors";
}

Report report_of(const OperatorTraining& training, const Cpu& host) {
  const OperatorFile& file = training.model.file();
  Report report;
  report.title = file.title.empty() ? file.name : file.title;
  report.subtitle =
      training.finished ? "Finished: " + training.stopped_because : "Interrupted; resuming goes on";
  const auto error = [](double e) { return fmt::format("{:.3e}", e); };
  if (!training.test_errors.empty()) {
    report.results.emplace_back("relative L2 error, test", error(mean(training.test_errors)));
    report.results.emplace_back("worst test sample", error(worst(training.test_errors)));
    if (!training.test_h1_errors.empty())
      report.results.emplace_back("relative H1 error, test", error(mean(training.test_h1_errors)));
    const double ratio = mean(training.test_errors) / std::max(1e-300, mean(training.train_errors));
    if (ratio > 3)
      report.notes.push_back(
          fmt::format("the test error is {:.1f} times that of samples it was trained on: more samples, "
                      "fewer modes, a smaller width or weight decay would help",
                      ratio));
  }
  report.results.emplace_back("relative L2 error, training", error(mean(training.train_errors)));
  if (training.validation_error)
    report.results.emplace_back(fmt::format("validation, after epoch {}", training.best_epoch),
                                error(*training.validation_error));
  report.results.emplace_back("training", duration_text(training.seconds));
  report.results.emplace_back("epochs", std::to_string(training.epochs));
  report.settings = {{"model", file.name},
                     {"parameters", std::to_string(training.model.parameters().size())},
                     {"data", file.file.string()},
                     {"samples", fmt::format("{} for training, {} for tests", file.train, file.test)},
                     {"precision", precisions[std::size_t(file.precision)]},
                     {"seed", std::to_string(file.seed)},
                     {"processor", fmt::format("{}, {}, {} threads", Cpu::processor(), Cpu::instruction_set(),
                                               host.threads())},
                     {"version", "sobolev " + version()}};
  for (const HistoryRow& row : training.history)
    report.history.push_back({row.seconds, row.loss, row.relative_l2});
  if (training.sample_target.samples > 0) {
    add_sample(training, report);
    add_curves(training, report);
  }
  report.source = file.source;
  return report;
}

/// With the absolute path of the data, which --resume finds from wherever it is called.
OperatorFile read_model(const TrainCommand& command) {
  const std::filesystem::path model = find_model(command.model);
  std::vector<std::string> overrides = command.overrides;
  if (command.seed) overrides.push_back(fmt::format("training.seed={}", *command.seed));
  const auto set_data = [&](const std::filesystem::path& path) {
    std::string quoted;
    for (const char c : std::filesystem::absolute(path).string())
      quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    overrides.push_back(fmt::format("data.file=\"{}\"", quoted));
  };
  set_data(command.data.empty() ? OperatorFile::from_file(model, overrides).file : command.data);
  return OperatorFile::from_file(model, overrides);
}

OperatorTraining train_on(const DeviceChoice& device, const Cpu& host, const TrainCommand& command,
                          const OperatorFile& file, const OperatorTrainingOptions& options) {
  const std::filesystem::path checkpoint = command.resume / checkpoint_name;
#if SOBOLEV_HAS_CUDA
  if (device.cuda)
    return command.resume.empty() ? train_operator(Cuda(device.index), file, options)
                                  : resume_operator(Cuda(device.index), checkpoint, options);
#endif
  static_cast<void>(device);
  return command.resume.empty() ? train_operator(host, file, options)
                                : resume_operator(host, checkpoint, options);
}
}  // namespace

int run_train(const TrainCommand& command) {
  const DeviceChoice device = parse_device(command.device);
  if (command.model.empty() == command.resume.empty())
    throw ArgumentError("give a model, a file or a name, or --resume DIR");
  if (!command.resume.empty() && (!command.overrides.empty() || !command.data.empty() || command.seed))
    throw ArgumentError("--resume goes on with the settings and the data that the training began with");
  const Cpu host(command.threads);
  const OperatorFile file = command.resume.empty() ? read_model(command) : OperatorFile();
  const bool in_place = !command.resume.empty() && command.out.empty();
  const std::filesystem::path folder = !command.out.empty()      ? command.out
                                       : !command.resume.empty() ? command.resume
                                                                 : std::filesystem::path("runs") / file.name;
  if (in_place && !std::filesystem::is_regular_file(folder / checkpoint_name))
    throw FileError(fmt::format("{}: there is no {} to go on from", folder.string(), checkpoint_name));
  require_writable(folder, 0);
  const FolderLock lock(folder);
  remove_abandoned_files(folder);
  require_writable(folder);
  EarlierFiles earlier(folder, in_place);
  earlier.check_replaceable();

  catch_stop_signals();
  ProgressPrinter printer(command.quiet);
  OperatorTrainingOptions options;
  options.on_progress = [&](const Progress& progress) { printer.show(progress); };
  options.on_warning = [&](const std::string& message) {
    printer.finish();
    print_error("sobolev: warning: {}\n", message);
  };
  options.stop = &stop_requested();
  options.checkpoint = folder / checkpoint_name;
  options.checkpoint_seconds = command.checkpoint_every;
  options.before_first_checkpoint = [&] { earlier.make_way_for_checkpoint(); };
  OperatorTraining training;
  try {
    training = train_on(device, host, command, file, options);
  } catch (...) {
    printer.finish();
    throw;
  }
  printer.finish();

  const nlohmann::ordered_json result = result_of(device, host, training);
  atomic_write(folder / result_name,
               result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  atomic_write(folder / history_name, history_of(training));
  atomic_write(folder / report_name, html_report(report_of(training, host)));
  if (command.json) {
    print_json(result);
  } else if (!command.quiet) {
    const OperatorFile& trained = training.model.file();
    print("{}: {} after {}{}\n", trained.title.empty() ? trained.name : trained.title,
          training.finished ? "finished" : "interrupted", duration_text(training.seconds),
          training.finished ? fmt::format(" ({})", training.stopped_because) : "");
    if (!training.test_errors.empty())
      print("  test: relative L2 error {:.3e}, worst {:.3e}{}, {} samples\n", mean(training.test_errors),
            worst(training.test_errors),
            training.test_h1_errors.empty()
                ? ""
                : fmt::format(", relative H1 error {:.3e}", mean(training.test_h1_errors)),
            training.test_errors.size());
    if (training.validation_error)
      print("  validation: relative L2 error {:.3e}, the smallest, after epoch {}\n",
            *training.validation_error, training.best_epoch);
    print("  training: relative L2 error {:.3e}, {} epochs, {} parameters\n", mean(training.train_errors),
          training.epochs, training.model.parameters().size());
    print("  report: {}\n", (folder / report_name).string());
  }
  if (training.finished) return done;
  print_error("sobolev: interrupted; the state is saved. To go on: sobolev train --resume {}\n",
              folder.string());
  constexpr int by_signal = 128;
  return by_signal + stop_signal();
}

}  // namespace sobolev::app
