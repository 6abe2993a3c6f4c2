// SPDX-License-Identifier: Apache-2.0
#include "src/operators/operator_samples.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
/// Mean and sum of squared deviations of so many numbers.
struct Moments {
  double count = 0, mean = 0, squares = 0;
  /// Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
  void add(const Moments& other) {
    if (other.count == 0) return;
    const double all = count + other.count, apart = other.mean - mean;
    squares += other.squares + apart * apart * count * other.count / all;
    mean += apart * other.count / all;
    count = all;
  }
};
/// Of each channel of [n, channels].
template <class T>
std::vector<Moments> moments(const T* values, std::size_t n, std::size_t channels) {
  std::vector<Moments> out(channels);
  for (std::size_t p = 0; p < n; ++p)
    for (std::size_t c = 0; c < channels; ++c) out[c].mean += double(values[p * channels + c]);
  for (Moments& m : out) {
    m.mean /= double(n);
    m.count = double(n);
  }
  for (std::size_t p = 0; p < n; ++p)
    for (std::size_t c = 0; c < channels; ++c) {
      const double d = double(values[p * channels + c]) - out[c].mean;
      out[c].squares += d * d;
    }
  return out;
}
}  // namespace

template <class T>
OperatorSamples<T>::OperatorSamples(const ArrayFile& data, const OperatorLayout& layout,
                                    const OperatorFile& model, std::size_t first, std::size_t count,
                                    bool in_memory, bool inputs_only)
    : file_(data), layout_(layout), model_(model), first_(first), count_(count), in_memory_(in_memory) {
  for (std::size_t p = 0; p < layout.parts.size(); ++p) {
    fields_.push_back(read_fields<T>(data, layout.parts[p].names, first,
                                     in_memory && !(inputs_only && p > 0) ? count : 0, model.stride));
    check(fields_[p].values, p, 0);
  }
  const std::vector<std::size_t>&own = fields_[0].grid, &wanted = output_grid();
  repeats_ = model.kind != OperatorKind::deeponet && own.size() < wanted.size() &&
             std::equal(own.rbegin(), own.rend(), wanted.rbegin());
  if (repeats_) fields_[0] = repeated(fields_[0], wanted);
  if (model.kind != OperatorKind::deeponet) return;
  if (model.points.empty()) {
    asked_ = grid_points<T>(output_grid(), model.end_point);
    return;
  }
  // Which of the two it is the array's shape says; where there are no samples it does not matter.
  asked_ = read_asked(0, in_memory ? count : std::min<std::size_t>(count, 2));
  asked_by_sample_ = read_asked(0, 0).samples != 1;
  check_points(asked_.values, 0);
  if (asked_by_sample_ && !in_memory) asked_.values.clear();
}

template <class T>
FieldData<T> OperatorSamples<T>::read_asked(std::size_t first, std::size_t count) const {
  return read_points<T>(file_, model_.points, count_samples(file_, model_.inputs), first_ + first, count,
                        output_points());
}

template <class T>
const T* OperatorSamples<T>::asked(std::size_t i, std::vector<T>& buffer) const {
  if (!asked_by_sample_) return asked_.values.data();
  if (in_memory_) return asked_.values.data() + i * output_points() * asked_.channels;
  buffer = read_asked(i, 1).values;
  check_points(buffer, i);
  return buffer.data();
}

template <class T>
void OperatorSamples<T>::check_points(const std::vector<T>& values, std::size_t first) const {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw FileError(
          fmt::format("{}: sample {} of {} contains {}; data must be finite numbers", file_.path().string(),
                      first_ + first + i / (output_points() * asked_.channels), model_.points, values[i]));
}

template <class T>
const T* OperatorSamples<T>::sample(std::size_t i, std::size_t part, std::vector<T>& buffer) const {
  const FieldData<T>& field = fields_[part];
  if (in_memory_) return field.values.data() + i * field.points() * field.channels;
  FieldData<T> read = read_fields<T>(file_, layout_.parts[part].names, first_ + i, 1, model_.stride);
  if (repeats_ && part == 0) read = repeated(read, output_grid());
  buffer = std::move(read.values);
  check(buffer, part, i);
  return buffer.data();
}

template <class T>
void OperatorSamples<T>::check(const std::vector<T>& values, std::size_t part, std::size_t first) const {
  const std::size_t channels = layout_.parts[part].channels, size = fields_[part].points() * channels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    std::size_t name = 0, channel = i % channels;
    const std::vector<std::string>& names = layout_.parts[part].names;
    while (channel >= FieldName::parse(names[name]).channels())
      channel -= FieldName::parse(names[name++]).channels();
    throw FileError(fmt::format("{}: sample {} of {} contains {}; data must be finite numbers",
                                file_.path().string(), first_ + first + i / size, names[name], values[i]));
  }
}

std::size_t sample_bytes(const ArrayFile& data, const OperatorLayout& layout, std::size_t stride,
                         std::size_t width) {
  std::size_t numbers = 0;
  for (const OperatorLayout::Part& part : layout.parts)
    numbers += read_fields<float>(data, part.names, 0, 0, stride).points() * part.channels;
  return numbers * width;
}

double memory_limit(double gibibytes) {
  if (gibibytes > 0) return gibibytes * double(std::size_t(1) << 30);
  return double(::sysconf(_SC_PHYS_PAGES)) * double(::sysconf(_SC_PAGESIZE)) / 2;
}

template <class T>
Normalisers normalisers(const OperatorSamples<T>& samples, const OperatorLayout& layout) {
  // By part and group.
  std::vector<std::vector<Moments>> all;
  for (const OperatorLayout::Part& part : layout.parts) all.emplace_back(part.channels);
  std::vector<Moments> of_points(samples.coordinates());
  std::vector<T> buffer;
  const auto add_points = [&](std::size_t i) {
    const auto own = moments(samples.asked(i, buffer), samples.output_points(), samples.coordinates());
    for (std::size_t c = 0; c < own.size(); ++c) of_points[c].add(own[c]);
  };
  if (samples.coordinates() > 0 && samples.points_shared()) add_points(0);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples.coordinates() > 0 && !samples.points_shared()) add_points(i);
    for (std::size_t p = 0; p < layout.parts.size(); ++p) {
      const std::size_t channels = layout.parts[p].channels,
                        n = p == layout.output_part ? samples.output_points() : samples.points();
      const std::vector<Moments> own = moments(samples.sample(i, p, buffer), n, channels);
      for (std::size_t c = 0; c < channels; ++c) all[p][layout.parts[p].group[c]].add(own[c]);
    }
  }
  // A channel that is constant stays in its units.
  const auto put = [](const Moments& m, ChannelNormaliser& to) {
    to.mean.push_back(m.mean);
    to.deviation.push_back(m.squares > 0 ? std::sqrt(m.squares / m.count) : 1);
  };
  const auto of = [&](const std::vector<OperatorLayout::Channel>& wanted, std::size_t part) {
    ChannelNormaliser out;
    for (const OperatorLayout::Channel& channel : wanted)
      put(all[part][layout.parts[part].group[channel.at]], out);
    return out;
  };
  Normalisers out{of(layout.inputs, 0), of(layout.outputs, layout.output_part), {}};
  for (const Moments& m : of_points) put(m, out.points);
  return out;
}

namespace {
std::vector<std::size_t> places(const std::vector<OperatorLayout::Channel>& channels, std::size_t later) {
  std::vector<std::size_t> at;
  for (const OperatorLayout::Channel& channel : channels)
    at.push_back(channel.at + (channel.moves ? later : 0));
  return at;
}
}  // namespace

template <class T>
void append_inputs(const OperatorSamples<T>& samples, const OperatorLayout& layout,
                   const ChannelNormaliser& inputs, const Window& window, std::vector<T>& x) {
  const std::size_t in = layout.inputs.size(), row = layout.parts[0].channels, n = samples.points();
  const std::vector<std::size_t> at = places(layout.inputs, window.start);
  std::vector<T> buffer;
  const T* const from = samples.sample(window.sample, 0, buffer);
  x.resize(x.size() + n * in);
  T* to = x.data() + x.size() - n * in;
  for (std::size_t p = 0; p < n; ++p)
    for (std::size_t c = 0; c < in; ++c)
      *to++ = T((double(from[p * row + at[c]]) - inputs.mean[c]) / inputs.deviation[c]);
}

template <class T>
void gather(const OperatorSamples<T>& samples, const OperatorLayout& layout, const Normalisers& normalisers,
            const std::vector<Window>& windows, std::size_t steps, bool points_shared,
            OperatorBatch<T>& batch) {
  const std::size_t out = layout.outputs.size(), n = samples.output_points(), part = layout.output_part,
                    row = layout.parts[part].channels;
  batch.samples = windows.size();
  batch.x.clear();
  batch.x.reserve(windows.size() * samples.points() * layout.inputs.size());
  batch.y.resize(steps * windows.size() * n * out);
  std::vector<T> buffer;
  for (std::size_t b = 0; b < windows.size(); ++b) {
    append_inputs(samples, layout, normalisers.inputs, windows[b], batch.x);
    const T* const from = samples.sample(windows[b].sample, part, buffer);
    for (std::size_t s = 0; s < steps; ++s) {
      const std::vector<std::size_t> at = places(layout.outputs, windows[b].start + s);
      T* y = batch.y.data() + (s * windows.size() + b) * n * out;
      for (std::size_t p = 0; p < n; ++p)
        for (std::size_t c = 0; c < out; ++c) *y++ = from[p * row + at[c]];
    }
  }
  const std::size_t d = samples.coordinates();
  batch.asked.clear();
  for (std::size_t b = 0; d > 0 && b < (points_shared ? 1 : windows.size()); ++b) {
    const T* const from = samples.asked(windows[b].sample, buffer);
    for (std::size_t i = 0; i < n * d; ++i)
      batch.asked.push_back(
          T((double(from[i]) - normalisers.points.mean[i % d]) / normalisers.points.deviation[i % d]));
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                            \
  template class OperatorSamples<T>;                                                                      \
  template void append_inputs(const OperatorSamples<T>&, const OperatorLayout&, const ChannelNormaliser&, \
                              const Window&, std::vector<T>&);                                            \
  template Normalisers normalisers(const OperatorSamples<T>&, const OperatorLayout&);                     \
  template void gather(const OperatorSamples<T>&, const OperatorLayout&, const Normalisers&,              \
                       const std::vector<Window>&, std::size_t, bool, OperatorBatch<T>&);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::detail
