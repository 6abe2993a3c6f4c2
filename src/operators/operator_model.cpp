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

std::size_t points_of(const std::vector<std::size_t>& grid) {
  std::size_t n = 1;
  for (std::size_t g : grid) n *= g;
  return n;
}

/// With a layout `steps` times, each from those before it.
template <class T, class E>
FieldData<T> apply_on(const E& executor, const OperatorModel& model, const FieldData<T>& x,
                      const FieldData<T>* points = nullptr, std::size_t steps = 1,
                      const detail::OperatorLayout* layout = nullptr) {
  const OperatorPlaces& places = model.places();
  if (places.sensors.empty() && !places.grid.empty() && x.grid.size() < places.grid.size()) {
    std::vector<std::size_t> grid = places.grid;
    std::copy(x.grid.begin(), x.grid.end(), grid.end() - std::ptrdiff_t(x.grid.size()));
    return apply_on(executor, model, repeated(x, grid));
  }
  if (!places.sensors.empty() && points == nullptr) {
    const FieldData<T> grid = grid_points<T>(places.grid, model.file().end_point);
    return apply_on(executor, model, x, &grid);
  }
  require(points == nullptr || !places.sensors.empty(),
          "the model answers on the grid of its input, not at points");
  require(x.channels == model.inputs() && x.grid.size() == model.axes(), [&] {
    return fmt::format("the model takes fields of {} channels on {} axes; these have {} on {}",
                       model.inputs(), model.axes(), x.channels, x.grid.size());
  });
  const FieldNetwork network = model.network();
  constexpr std::size_t together = 8;  // samples
  const std::size_t batch = std::max<std::size_t>(1, std::min(x.samples, together)), n = x.points(),
                    outputs = model.outputs();
  QueryPoints query;
  std::vector<T> normal_points;
  if (points != nullptr) {
    const std::size_t d = places.points.mean.size();
    require(points->channels == d && (points->samples == 1 || points->samples == x.samples), [&] {
      return fmt::format(
          "the model answers at points of {} coordinates, the same for all {} samples or one set for each; "
          "these are {} sets with {} coordinates",
          d, x.samples, points->samples, points->channels);
    });
    const bool on_grid = points_of(places.grid) == points->points() && points->grid.size() == 1;
    query = {on_grid ? places.grid : points->grid, points->samples == 1};
    normal_points = places.points.normalised(points->values);
  }
  using Planned = PlannedFieldNetwork<T, E>;
  Planned planned(executor, network, x.grid, batch, Planned::Use::inference, query);
  const std::size_t m = points_of(planned.output_grid()),
                    coordinates = points != nullptr ? m * points->channels : 0;
  auto asked = zeros<T>(executor, (query.shared ? 1 : batch) * coordinates);
  const std::vector<T> host(model.parameters().begin(), model.parameters().end());
  auto theta = zeros<T>(executor, host.size()), field = zeros<T>(executor, batch * n * x.channels),
       next = zeros<T>(executor, steps > 1 ? batch * n * x.channels : 0);
  upload<T, 1>(executor, View<const T, 1>(host.data(), host.size()), View<T, 1>(theta.data(), host.size()));
  FieldData<T> y;
  y.grid = planned.output_grid();
  y.samples = x.samples;
  y.channels = outputs * steps;
  y.values.resize(x.samples * m * y.channels);
  std::vector<T> normal(batch * n * x.channels), made(batch * m * outputs);
  const ChannelNormaliser &in = model.input_normaliser(), &out = model.output_normaliser();
  for (std::size_t s = 0; s < x.samples; s += batch) {
    const std::size_t count = std::min(batch, x.samples - s), size = count * n * x.channels;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t c = i % x.channels;
      normal[i] = T((double(x.values[s * n * x.channels + i]) - in.mean[c]) / in.deviation[c]);
    }
    upload<T, 1>(executor, View<const T, 1>(normal.data(), size), View<T, 1>(field.data(), size));
    View<const T, 3> at(nullptr, 0, 0, 0);
    if (points != nullptr) {
      const std::size_t sets = query.shared ? 1 : count, first = query.shared ? 0 : s * coordinates;
      if (s == 0 || !query.shared)
        upload<T, 1>(executor, View<const T, 1>(normal_points.data() + first, sets * coordinates),
                     View<T, 1>(asked.data(), sets * coordinates));
      at = View<const T, 3>(asked.data(), sets, m, points->channels);
    }
    for (std::size_t step = 0; step < steps; ++step) {
      const View<const T, 3> now(field.data(), count, n, x.channels);
      const View<const T, 3> result = planned.forward(View<const T, 1>(theta.data(), theta.size()), now, at);
      download<T, 1>(executor, View<const T, 1>(result.data(), result.size()),
                     View<T, 1>(made.data(), result.size()));
      for (std::size_t i = 0; i < count * m * outputs; ++i) {
        const std::size_t c = i % outputs;
        y.values[(s * m + i / outputs) * y.channels + c * steps + step] =
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
  return apply_on<T>(executor, model, x, nullptr, steps, &layout);
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

template <class T>
std::vector<T> ChannelNormaliser::normalised(const std::vector<T>& values) const {
  std::vector<T> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % mean.size();
    out[i] = T((double(values[i]) - mean[c]) / deviation[c]);
  }
  return out;
}
template std::vector<float> ChannelNormaliser::normalised(const std::vector<float>&) const;
template std::vector<double> ChannelNormaliser::normalised(const std::vector<double>&) const;

template <class T>
FieldData<T> repeated(const FieldData<T>& x, const std::vector<std::size_t>& grid) {
  require(x.grid.size() <= grid.size() && std::equal(x.grid.rbegin(), x.grid.rend(), grid.rbegin()), [&] {
    return fmt::format("a field on [{}] is none on the last axes of [{}]", fmt::join(x.grid, ", "),
                       fmt::join(grid, ", "));
  });
  FieldData<T> out{grid, x.samples, x.channels, {}};
  const std::size_t size = x.points() * x.channels,
                    times = out.points() / std::max<std::size_t>(1, x.points());
  out.values.reserve(x.samples * size * times);
  for (std::size_t s = 0; s < x.samples; ++s)
    for (std::size_t t = 0; t < times; ++t)
      out.values.insert(out.values.end(), x.values.begin() + std::ptrdiff_t(s * size),
                        x.values.begin() + std::ptrdiff_t((s + 1) * size));
  return out;
}
template FieldData<float> repeated(const FieldData<float>&, const std::vector<std::size_t>&);
template FieldData<double> repeated(const FieldData<double>&, const std::vector<std::size_t>&);

template <class T>
FieldData<T> grid_points(const std::vector<std::size_t>& grid, bool end_point) {
  FieldData<T> out{grid, 1, grid.size(), {}};
  const std::size_t count = out.points();
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = count, at = i;
    for (const std::size_t n : grid) {
      rest /= n;
      const std::size_t place = at / rest, steps = end_point ? std::max<std::size_t>(n, 2) - 1 : n;
      out.values.push_back(T(double(place) / double(steps)));
      at %= rest;
    }
  }
  return out;
}
template FieldData<float> grid_points<float>(const std::vector<std::size_t>&, bool);
template FieldData<double> grid_points<double>(const std::vector<std::size_t>&, bool);

OperatorModel::OperatorModel(OperatorFile file, std::size_t axes, ChannelNormaliser inputs,
                             ChannelNormaliser outputs, std::vector<double> parameters, OperatorPlaces places)
    : file_(std::move(file)),
      axes_(axes),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      parameters_(std::move(parameters)),
      places_(std::move(places)) {
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
template <class T>
FieldData<T> OperatorModel::apply(const Cpu& cpu, const FieldData<T>& x, const FieldData<T>& points) const {
  return apply_on<T>(cpu, *this, x, &points);
}
template FieldData<float> OperatorModel::apply(const Cpu&, const FieldData<float>&,
                                               const FieldData<float>&) const;
template FieldData<double> OperatorModel::apply(const Cpu&, const FieldData<double>&,
                                                const FieldData<double>&) const;
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
template <class T>
FieldData<T> OperatorModel::apply(const Cuda& cuda, const FieldData<T>& x, const FieldData<T>& points) const {
  return apply_on<T>(cuda, *this, x, &points);
}
template FieldData<float> OperatorModel::apply(const Cuda&, const FieldData<float>&,
                                               const FieldData<float>&) const;
template FieldData<double> OperatorModel::apply(const Cuda&, const FieldData<double>&,
                                                const FieldData<double>&) const;
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
  const OperatorPlaces& places = model.places();
  if (!places.grid.empty()) add("places.grid", {places.grid.begin(), places.grid.end()});
  if (!places.sensors.empty()) {
    add("places.sensors", {places.sensors.begin(), places.sensors.end()});
    add("places.mean", places.points.mean);
    add("places.deviation", places.points.deviation);
  }
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
    OperatorPlaces places;
    {
      const auto grid = [&](const char* name) {
        std::vector<std::size_t> sizes;
        const std::vector<double>& values = file.at(name, path).values;
        for (double v : values) {
          if (!(v >= 1 && v <= 65536) || v != std::floor(v) || values.size() > 3)
            throw FileError(fmt::format("{}: {} contains {}; it must be 1 to 3 numbers of points",
                                        path.string(), name, v));
          sizes.push_back(std::size_t(v));
        }
        if (sizes.empty()) throw FileError(fmt::format("{}: {} is empty", path.string(), name));
        return sizes;
      };
      if (model.kind == OperatorKind::deeponet || file.contains("places.grid"))
        places.grid = grid("places.grid");
      if (model.kind == OperatorKind::deeponet) places.sensors = grid("places.sensors");
    }
    if (model.kind == OperatorKind::deeponet) {
      const std::size_t d = file.at("places.mean", path).values.size();
      places.points = {finite(file, "places.mean", d, path), finite(file, "places.deviation", d, path)};
      if (d == 0) throw FileError(fmt::format("{}: places.mean is empty", path.string()));
    }
    const FieldNetwork network = model.network(axes, in, out, places.sensors, places.points.mean.size());
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
    return {std::move(model), axes, inputs, outputs, std::move(parameters), std::move(places)};
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
