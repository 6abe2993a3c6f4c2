// SPDX-License-Identifier: Apache-2.0
// A trained model: its file, and what it makes of fields.
#include "sobolev/operators/operator_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/version.hpp"
#include "src/operators/model_tensors.hpp"
#include "src/operators/next_inputs.hpp"

namespace sobolev {
namespace {
constexpr const char* format_name = "sobolev operator 1";

/// With a layout `steps` times, each from those before it.
template <class T, class E>
FieldData<T> apply_on(const E& executor, const OperatorModel& model, const FieldData<T>& x,
                      std::size_t steps = 1, const detail::OperatorLayout* layout = nullptr) {
  require(x.channels == model.inputs() && x.grid.size() == model.axes(), [&] {
    return fmt::format("the model takes fields of {} channels on {} axes; these have {} on {}",
                       model.inputs(), model.axes(), x.channels, x.grid.size());
  });
  const FieldNetwork network = model.network();
  constexpr std::size_t together = 8;  // samples
  const std::size_t batch = std::max<std::size_t>(1, std::min(x.samples, together)), n = x.points(),
                    outputs = model.outputs();
  using Planned = PlannedFieldNetwork<T, E>;
  Planned planned(executor, network, x.grid, batch, Planned::Use::inference);
  const std::vector<T> host(model.parameters().begin(), model.parameters().end());
  auto theta = zeros<T>(executor, host.size()), field = zeros<T>(executor, batch * n * x.channels),
       next = zeros<T>(executor, steps > 1 ? batch * n * x.channels : 0);
  upload<T, 1>(executor, View<const T, 1>(host.data(), host.size()), View<T, 1>(theta.data(), host.size()));
  FieldData<T> y;
  y.grid = x.grid;
  y.samples = x.samples;
  y.channels = outputs * steps;
  y.values.resize(x.samples * n * y.channels);
  std::vector<T> normal(batch * n * x.channels), made(batch * n * outputs);
  const ChannelNormaliser &in = model.input_normaliser(), &out = model.output_normaliser();
  for (std::size_t s = 0; s < x.samples; s += batch) {
    const std::size_t count = std::min(batch, x.samples - s), size = count * n * x.channels;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t c = i % x.channels;
      normal[i] = T((double(x.values[s * n * x.channels + i]) - in.mean[c]) / in.deviation[c]);
    }
    upload<T, 1>(executor, View<const T, 1>(normal.data(), size), View<T, 1>(field.data(), size));
    for (std::size_t step = 0; step < steps; ++step) {
      const View<const T, 3> now(field.data(), count, n, x.channels);
      const View<const T, 3> result = planned.forward(View<const T, 1>(theta.data(), theta.size()), now);
      download<T, 1>(executor, View<const T, 1>(result.data(), result.size()),
                     View<T, 1>(made.data(), result.size()));
      for (std::size_t i = 0; i < count * n * outputs; ++i) {
        const std::size_t c = i % outputs;
        y.values[(s * n + i / outputs) * y.channels + c * steps + step] =
            T(out.mean[c] + out.deviation[c] * double(made[i]));
      }
      if (step + 1 == steps) break;
      detail::next_inputs<T>(executor, *layout, now, result, View<T, 3>(next.data(), count, n, x.channels));
      std::swap(field, next);
    }
  }
  return y;
}

template <class T, class E>
FieldData<T> roll_out_on(const E& executor, const OperatorModel& model, const FieldData<T>& x,
                         std::size_t steps) {
  require(model.file().rollout, "roll_out: the model makes its outputs at once; data.rollout is false");
  require(steps >= 1, "roll_out: no steps are asked for");
  const detail::OperatorLayout layout = detail::layout_of(model.file());
  return apply_on<T>(executor, model, x, steps, &layout);
}

std::vector<double> finite(const TensorFile& file, const std::string& name, std::size_t size,
                           const std::filesystem::path& path) {
  const Tensor& tensor = file.at(name, path);
  if (tensor.values.size() != size)
    throw FileError(fmt::format("{}: {} has {} numbers; the model has {}", path.string(), name,
                                tensor.values.size(), size));
  for (double v : tensor.values)
    if (!std::isfinite(v))
      throw FileError(fmt::format("{}: {} contains {}; it must be finite", path.string(), name, v));
  return tensor.values;
}
}  // namespace

template <class T>
ChannelNormaliser ChannelNormaliser::of(const FieldData<T>& data) {
  ChannelNormaliser n = none(data.channels);
  const double count = double(std::max<std::size_t>(1, data.samples * data.points()));
  std::vector<double> square(data.channels, 0);
  for (std::size_t i = 0; i < data.values.size(); ++i)
    n.mean[i % data.channels] += double(data.values[i]) / count;
  for (std::size_t i = 0; i < data.values.size(); ++i) {
    const double d = double(data.values[i]) - n.mean[i % data.channels];
    square[i % data.channels] += d * d / count;
  }
  for (std::size_t c = 0; c < data.channels; ++c)  // a channel that is constant stays in its units
    n.deviation[c] = square[c] > 0 ? std::sqrt(square[c]) : 1;
  return n;
}
template ChannelNormaliser ChannelNormaliser::of(const FieldData<float>&);
template ChannelNormaliser ChannelNormaliser::of(const FieldData<double>&);

ChannelNormaliser ChannelNormaliser::none(std::size_t channels) {
  return {std::vector<double>(channels, 0), std::vector<double>(channels, 1)};
}

OperatorModel::OperatorModel(OperatorFile file, std::size_t axes, ChannelNormaliser inputs,
                             ChannelNormaliser outputs, std::vector<double> parameters)
    : file_(std::move(file)),
      axes_(axes),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      parameters_(std::move(parameters)) {
  const std::size_t wanted = network().parameters();
  require(parameters_.size() == wanted, [&] {
    return fmt::format("the model has {} parameters, and {} are given", wanted, parameters_.size());
  });
}

template <class T>
FieldData<T> OperatorModel::apply(const Cpu& cpu, const FieldData<T>& x) const {
  return apply_on<T>(cpu, *this, x);
}
template FieldData<float> OperatorModel::apply(const Cpu&, const FieldData<float>&) const;
template FieldData<double> OperatorModel::apply(const Cpu&, const FieldData<double>&) const;
template <class T>
FieldData<T> OperatorModel::roll_out(const Cpu& cpu, const FieldData<T>& x, std::size_t steps) const {
  return roll_out_on<T>(cpu, *this, x, steps);
}
template FieldData<float> OperatorModel::roll_out(const Cpu&, const FieldData<float>&, std::size_t) const;
template FieldData<double> OperatorModel::roll_out(const Cpu&, const FieldData<double>&, std::size_t) const;
#if SOBOLEV_HAS_CUDA
template <class T>
FieldData<T> OperatorModel::apply(const Cuda& cuda, const FieldData<T>& x) const {
  return apply_on<T>(cuda, *this, x);
}
template FieldData<float> OperatorModel::apply(const Cuda&, const FieldData<float>&) const;
template FieldData<double> OperatorModel::apply(const Cuda&, const FieldData<double>&) const;
template <class T>
FieldData<T> OperatorModel::roll_out(const Cuda& cuda, const FieldData<T>& x, std::size_t steps) const {
  return roll_out_on<T>(cuda, *this, x, steps);
}
template FieldData<float> OperatorModel::roll_out(const Cuda&, const FieldData<float>&, std::size_t) const;
template FieldData<double> OperatorModel::roll_out(const Cuda&, const FieldData<double>&, std::size_t) const;
#endif

namespace detail {

TensorFile model_tensors(const OperatorModel& model) {
  TensorFile file;
  file.metadata = {{"format", format_name},
                   {"sobolev", version()},
                   {"model", model.file().source},
                   {"name", model.file().name},
                   {"axes", std::to_string(model.axes())}};
  const auto add = [&](const std::string& name, const std::vector<double>& values) {
    file.tensors.emplace_back(name, Tensor{{values.size()}, values});
  };
  add("inputs.mean", model.input_normaliser().mean);
  add("inputs.deviation", model.input_normaliser().deviation);
  add("outputs.mean", model.output_normaliser().mean);
  add("outputs.deviation", model.output_normaliser().deviation);
  const FieldNetwork network = model.network();
  for (const FieldNetwork::Array& array : network.arrays()) {
    std::size_t size = 1;
    for (std::size_t n : array.shape) size *= n;
    const auto begin = model.parameters().begin() + std::ptrdiff_t(array.offset);
    file.tensors.emplace_back("parameters." + array.name,
                              Tensor{array.shape, std::vector<double>(begin, begin + std::ptrdiff_t(size))});
  }
  return file;
}

OperatorModel model_of(const TensorFile& file, const std::filesystem::path& path) {
  const auto text = [&](const char* key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end())
      throw FileError(fmt::format("{}: no model of an operator: its metadata lack {}", path.string(), key));
    return found->second;
  };
  if (text("format") != format_name)
    throw FileError(fmt::format("{}: the format is \"{}\"; this version of sobolev reads \"{}\"",
                                path.string(), text("format"), format_name));
  try {
    OperatorFile model = OperatorFile::from_string(text("model"), path.string());
    model.name = text("name");
    const std::string axes_text = text("axes");
    if (axes_text != "1" && axes_text != "2" && axes_text != "3")
      throw FileError(fmt::format("{}: axes is \"{}\"; it must be 1, 2 or 3", path.string(), axes_text));
    const std::size_t axes = std::size_t(axes_text[0] - '0');
    const std::size_t in = file.at("inputs.mean", path).values.size(),
                      out = file.at("outputs.mean", path).values.size();
    const FieldNetwork network = model.network(axes, in, out);
    std::vector<double> parameters(network.parameters());
    for (const FieldNetwork::Array& array : network.arrays()) {
      const std::string name = "parameters." + array.name;
      if (file.at(name, path).shape != array.shape)
        throw FileError(fmt::format("{}: {} is [{}]; the model has [{}]", path.string(), name,
                                    fmt::join(file.at(name, path).shape, ", "),
                                    fmt::join(array.shape, ", ")));
      std::size_t size = 1;
      for (std::size_t n : array.shape) size *= n;
      const std::vector<double> values = finite(file, name, size, path);
      std::copy(values.begin(), values.end(), parameters.begin() + std::ptrdiff_t(array.offset));
    }
    const ChannelNormaliser inputs{finite(file, "inputs.mean", in, path),
                                   finite(file, "inputs.deviation", in, path)},
        outputs{finite(file, "outputs.mean", out, path), finite(file, "outputs.deviation", out, path)};
    return {std::move(model), axes, inputs, outputs, std::move(parameters)};
  } catch (const ArgumentError& error) {
    throw FileError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

}  // namespace detail

void OperatorModel::save(const std::filesystem::path& path,
                         const std::function<void()>& before_rename) const {
  write_safetensors(path, detail::model_tensors(*this), before_rename);
}

OperatorModel OperatorModel::load(const std::filesystem::path& path) {
  return detail::model_of(read_safetensors(path), path);
}

}  // namespace sobolev
