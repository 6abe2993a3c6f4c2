// SPDX-License-Identifier: Apache-2.0
// Trainings of operators: on the CPU, and their checkpoints.
#include "src/operators/operator_run.hpp"

namespace sobolev {
namespace detail {
namespace {
constexpr std::size_t columns = 4;  // of the history
}

void OperatorState::save(const std::filesystem::path& path,
                         const std::function<void()>& before_rename) const {
  TensorFile tensors = model_tensors(model());
  const auto add = [&](const std::string& name, const std::vector<double>& values) {
    tensors.tensors.emplace_back(name, Tensor{{values.size()}, values});
  };
  nlohmann::json names = nlohmann::json::array();
  for (const auto& [name, values] : training.optimizer) {
    names.push_back(name);
    add("training.optimizer." + name, values);
  }
  std::vector<double> history;
  for (const HistoryRow& row : training.history)
    history.insert(history.end(),
                   {double(row.iteration), row.seconds, row.loss, row.relative_l2.value_or(-1)});
  add("training.history", history);
  add("training.numbers",
      {training.seconds, training.loss, training.points_processed, training.phase_seconds});
  if (!best.empty()) {  // the model has those; the training goes on with the others
    add("training.parameters", parameters);
    add("training.best", {best_error, double(best_epoch)});
  }
  tensors.metadata["training"] =
      nlohmann::json{{"phase_iteration", training.phase_iteration}, {"iterations", training.iterations},
                     {"generation", training.generation},           {"finished", training.finished},
                     {"stopped_because", training.stopped_because}, {"optimizer", names}}
          .dump();
  write_safetensors(path, tensors, before_rename);
}

OperatorState OperatorState::load(const std::filesystem::path& path) {
  const TensorFile file = read_safetensors(path);
  const OperatorModel model = model_of(file, path);
  OperatorState state;
  state.file = model.file();
  state.axes = model.axes();
  state.inputs = model.input_normaliser();
  state.outputs = model.output_normaliser();
  state.parameters = model.parameters();
  state.places = model.places();
  const auto text = file.metadata.find("training");
  if (text == file.metadata.end())
    throw FileError(fmt::format("{}: holds a model and no training to go on with", path.string()));
  const auto damaged = [&](const std::string& what) {
    return FileError(fmt::format("{}: a damaged training state: {}", path.string(), what));
  };
  const auto numbers = [&](const std::string& name) -> const std::vector<double>& {
    const std::vector<double>& values = file.at(name, path).values;
    for (double v : values)
      if (!std::isfinite(v)) throw damaged(fmt::format("{} contains {}", name, v));
    return values;
  };
  try {
    const nlohmann::json json = nlohmann::json::parse(text->second);
    const auto count = [&](const char* key) {
      const nlohmann::json& value = json.at(key);
      if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > 9e15)
        throw damaged(fmt::format("{} is {}", key, value.dump()));
      return value.get<long>();
    };
    TrainingState& t = state.training;
    t.phase_iteration = count("phase_iteration");
    t.iterations = count("iterations");
    t.generation = count("generation");
    t.finished = json.at("finished").get<bool>();
    t.stopped_because = json.at("stopped_because").get<std::string>();
    for (const nlohmann::json& name : json.at("optimizer"))
      t.optimizer[name.get<std::string>()] = numbers("training.optimizer." + name.get<std::string>());
    PhaseOptions adam;
    adam.optimizer = OptimizerKind::adam;
    check_state(adam, t.optimizer, state.parameters.size());
    const auto has = [&](const std::string& name) {
      return std::any_of(file.tensors.begin(), file.tensors.end(),
                         [&](const auto& tensor) { return tensor.first == name; });
    };
    if (has("training.parameters")) {
      state.best = state.parameters;
      state.parameters = numbers("training.parameters");
      const std::vector<double>& best = numbers("training.best");
      if (state.parameters.size() != state.best.size() || best.size() != 2 || best[1] < 0 || best[1] > 9e15)
        throw damaged("training.parameters and training.best do not fit the model");
      state.best_error = best[0];
      state.best_epoch = long(best[1]);
    }
    const std::vector<double>&of = numbers("training.numbers"), &rows = numbers("training.history");
    if (of.size() != 4 || rows.size() % columns != 0) throw damaged("numbers are missing");
    t.seconds = of[0];
    t.loss = of[1];
    t.points_processed = of[2];
    t.phase_seconds = of[3];
    for (std::size_t i = 0; i < rows.size(); i += columns) {
      HistoryRow row{long(rows[i]), 0, 0, rows[i + 1], rows[i + 2], {}};
      if (rows[i + 3] >= 0) row.relative_l2 = rows[i + 3];
      t.history.push_back(row);
    }
  } catch (const nlohmann::json::exception& error) {
    throw damaged(error.what());
  } catch (const ArgumentError& error) {
    throw damaged(error.what());
  }
  return state;
}

}  // namespace detail

OperatorTraining train_operator(const Cpu& host, const OperatorFile& file,
                                const OperatorTrainingOptions& options) {
  detail::OperatorState state;
  state.file = file;
  return detail::run_operator(host, std::move(state), options, false);
}
OperatorTraining resume_operator(const Cpu& host, const std::filesystem::path& checkpoint,
                                 const OperatorTrainingOptions& options) {
  return detail::run_operator(host, detail::OperatorState::load(checkpoint), options, true);
}

}  // namespace sobolev
