// SPDX-License-Identifier: Apache-2.0
// sobolev evaluate RUN_DIR --input FILE: what a model of an operator makes of fields.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/results.hpp"
#include "sobolev/io/array_file.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/operators/operator_model.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev::app {
namespace {
/// steps: of a roll-out, or 0. At points, unless there are none.
FieldData<float> apply_on(const DeviceChoice& device, const Cpu& host, const OperatorModel& model,
                          const FieldData<float>& x, std::size_t steps, const FieldData<float>& points) {
  const auto on = [&](const auto& executor) {
    if (steps > 0) return model.roll_out(executor, x, steps);
    return points.samples == 0 ? model.apply(executor, x) : model.apply(executor, x, points);
  };
#if SOBOLEV_HAS_CUDA
  if (device.cuda) return on(Cuda(device.index));
#endif
  static_cast<void>(device);
  return on(host);
}

/// "u" of "u[10:20]", unless another output is of the same array.
std::string name_in_file(const std::vector<std::string>& outputs, const std::string& output) {
  const std::string array = FieldName::parse(output).array;
  const auto same = std::count_if(outputs.begin(), outputs.end(),
                                  [&](const std::string& o) { return FieldName::parse(o).array == array; });
  return same > 1 ? output : array;
}
}  // namespace

int run_apply(const EvaluateCommand& command) {
  const DeviceChoice device = parse_device(command.device);
  if (command.run.empty()) throw ArgumentError("--input needs RUN_DIR, the folder of a trained model");
  if (!command.points.empty() || !command.outputs.empty() || !command.problem.empty())
    throw ArgumentError(
        "--input is of a model of an operator; --points, --outputs and --problem are of a solution");
  const Cpu host(command.threads);
  std::error_code status;
  const OperatorModel model = OperatorModel::load(
      std::filesystem::is_directory(command.run, status) ? command.run / checkpoint_name : command.run);
  const OperatorFile& file = model.file();
  if (command.steps && !file.rollout)
    throw ArgumentError("--steps is of models that make one time after another (data.rollout = true)");
  const std::size_t steps =
      file.rollout ? command.steps.value_or(FieldName::parse(file.outputs[0]).channels()) : 0;
  const ArrayFile data(command.input);
  const std::filesystem::path target = check_replaceable(command.out);
  require_writable(target.has_parent_path() ? target.parent_path() : ".");
  ArrayFileWriter out(command.out);
  const std::size_t samples = count_samples(data, file.inputs);
  constexpr std::size_t together = 64;  // samples in memory
  std::vector<std::size_t> shape;
  for (std::size_t s = 0; s < samples; s += together) {
    const FieldData<float> x =
        read_fields<float>(data, file.inputs, s, std::min(together, samples - s), file.stride);
    FieldData<float> at;
    if (!file.points.empty())
      at = read_points<float>(data, file.points, samples, s, x.samples, 0, model.places().points.mean.size());
    const FieldData<float> y = apply_on(device, host, model, x, steps, at);
    const std::size_t points = y.points();
    std::size_t first = 0;
    std::vector<float> rows;
    for (const std::string& name : file.outputs) {
      const FieldName field = FieldName::parse(name);
      const std::size_t channels = steps > 0 ? steps : field.channels();
      if (s == 0) {
        shape = {samples};
        if (field.times) shape.push_back(channels);
        shape.insert(shape.end(), y.grid.begin(), y.grid.end());
        out.create<float>(name_in_file(file.outputs, name), shape);
      }
      rows.resize(y.samples * channels * points);
      for (std::size_t b = 0; b < y.samples; ++b)
        for (std::size_t c = 0; c < channels; ++c)
          for (std::size_t p = 0; p < points; ++p)
            rows[(b * channels + c) * points + p] = y.values[(b * points + p) * y.channels + first + c];
      out.write<float>(name_in_file(file.outputs, name), s,
                       View<const float, 2>(rows.data(), y.samples, channels * points));
      first += channels;
    }
  }
  out.finish();
  if (command.json)
    print_json({{"model", file.name}, {"samples", samples}, {"out", command.out.string()}});
  else if (!command.quiet)
    print("{} samples: {}\n", samples, command.out.string());
  return done;
}

}  // namespace sobolev::app
