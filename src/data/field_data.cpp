// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/field_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
std::size_t whole_number(std::string_view text, const std::string& all) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw ArgumentError(fmt::format("\"{}\" names no field; write u, u[3] or u[0:10]", all));
  return value;
}

/// The array's shape without samples and times; FileError where the name asks for times that there are not.
std::vector<std::size_t> grid_of(const ArrayFile& file, const FieldName& name, std::size_t stride) {
  const ArrayInfo& array = file.array(name.array);
  const std::size_t before = name.times ? 2 : 1;
  if (array.shape.size() < before + 1 || array.shape.size() > before + 3)
    throw FileError(fmt::format(
        "{}: {} has the shape [{}]; a field is [samples, {}1 to 3 axes]{}", file.path().string(), name.array,
        fmt::join(array.shape, ", "), name.times ? "times, " : "",
        name.times ? "" : fmt::format("; of one with times say {}[0] or {}[0:10]", name.array, name.array)));
  if (name.times && name.last > array.shape[1])
    throw FileError(fmt::format("{}: {} has {} times, and {} … {} are asked for", file.path().string(),
                                name.array, array.shape[1], name.first, name.last - 1));
  std::vector<std::size_t> grid(array.shape.begin() + std::ptrdiff_t(before), array.shape.end());
  for (std::size_t& g : grid) g = (g + stride - 1) / stride;
  return grid;
}
}  // namespace

FieldName FieldName::parse(const std::string& text) {
  FieldName name;
  const std::size_t open = text.find('[');
  name.array = text.substr(0, open);
  if (name.array.empty())
    throw ArgumentError(fmt::format("\"{}\" names no field; write u, u[3] or u[0:10]", text));
  if (open == std::string::npos) return name;
  if (text.back() != ']')
    throw ArgumentError(fmt::format("\"{}\" names no field; write u, u[3] or u[0:10]", text));
  const std::string inside = text.substr(open + 1, text.size() - open - 2);
  const std::size_t colon = inside.find(':');
  name.times = true;
  name.first = whole_number(std::string_view(inside).substr(0, colon), text);
  name.last = colon == std::string::npos ? name.first + 1
                                         : whole_number(std::string_view(inside).substr(colon + 1), text);
  if (name.last <= name.first) throw ArgumentError(fmt::format("\"{}\" has no times in it", text));
  return name;
}

std::size_t count_samples(const ArrayFile& file, const std::vector<std::string>& names) {
  std::size_t samples = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const FieldName name = FieldName::parse(names[i]);
    grid_of(file, name, 1);
    const std::size_t found = file.array(name.array).shape[0];
    if (i > 0 && found != samples)
      throw FileError(fmt::format("{}: {} has {} samples and {} has {}", file.path().string(), names[0],
                                  samples, names[i], found));
    samples = found;
  }
  return samples;
}

template <class T>
FieldData<T> read_fields(const ArrayFile& file, const std::vector<std::string>& names, std::size_t first,
                         std::size_t count, std::size_t stride) {
  require(stride >= 1, "read_fields: every 0th point");
  require(!names.empty(), "read_fields: no fields are named");
  const std::size_t samples = count_samples(file, names);
  if (first + count > samples)
    throw FileError(fmt::format("{}: {} samples from number {} on are asked for; there are {}",
                                file.path().string(), count, first, samples));
  FieldData<T> data;
  data.samples = count;
  data.grid = grid_of(file, FieldName::parse(names[0]), stride);
  for (const std::string& text : names) {
    const FieldName name = FieldName::parse(text);
    const std::vector<std::size_t> grid = grid_of(file, name, stride);
    if (grid != data.grid)
      throw FileError(fmt::format(
          "{}: {} is on a grid [{}] and {} on [{}]; inputs and outputs must be on one", file.path().string(),
          names[0], fmt::join(data.grid, ", "), text, fmt::join(grid, ", ")));
    data.channels += name.channels();
  }
  const std::size_t points = data.points();
  data.values.resize(count * points * data.channels);
  std::size_t channel = 0;
  for (const std::string& text : names) {
    const FieldName name = FieldName::parse(text);
    const std::vector<std::size_t>& shape = file.array(name.array).shape;
    std::vector<std::size_t> full(shape.end() - std::ptrdiff_t(data.grid.size()), shape.end());
    std::size_t field = 1, row = 1;
    for (std::size_t n : full) field *= n;
    for (std::size_t a = 1; a < shape.size(); ++a) row *= shape[a];
    std::vector<T> buffer(row);
    for (std::size_t s = 0; s < count; ++s) {
      file.read<T>(name.array, first + s, View<T, 2>(buffer.data(), 1, row));
      for (std::size_t t = 0; t < name.channels(); ++t) {
        const T* from = buffer.data() + (name.first + t) * field;
        for (std::size_t p = 0; p < points; ++p) {
          std::size_t rest = p, at = 0, step = 1;
          for (std::size_t a = data.grid.size(); a-- > 0;) {
            at += rest % data.grid[a] * stride * step;
            rest /= data.grid[a];
            step *= full[a];
          }
          data.values[(s * points + p) * data.channels + channel + t] = from[at];
        }
      }
    }
    channel += name.channels();
  }
  return data;
}
template FieldData<float> read_fields<float>(const ArrayFile&, const std::vector<std::string>&, std::size_t,
                                             std::size_t, std::size_t);
template FieldData<double> read_fields<double>(const ArrayFile&, const std::vector<std::string>&, std::size_t,
                                               std::size_t, std::size_t);

template <class T>
FieldData<T> read_points(const ArrayFile& file, const std::string& name, std::size_t samples,
                         std::size_t first, std::size_t count, std::size_t points, std::size_t coordinates) {
  const std::vector<std::size_t>& shape = file.array(name).shape;
  const auto fits = [](std::size_t wanted, std::size_t found) { return wanted == 0 || wanted == found; };
  FieldData<T> data;
  bool known = true, shared = true;
  if (shape.size() == 1 && fits(points, shape[0]) && fits(coordinates, 1)) {
    data = {{shape[0]}, 1, 1, {}};
  } else if (shape.size() == 2 && shape[0] == samples && fits(points, shape[1]) && fits(coordinates, 1)) {
    data = {{shape[1]}, count, 1, {}};
    shared = false;
  } else if (shape.size() == 2 && fits(points, shape[0]) && fits(coordinates, shape[1])) {
    data = {{shape[0]}, 1, shape[1], {}};
  } else if (shape.size() == 3 && shape[0] == samples && fits(points, shape[1]) &&
             fits(coordinates, shape[2])) {
    data = {{shape[1]}, count, shape[2], {}};
    shared = false;
  } else {
    known = false;
  }
  if (!known || data.channels == 0 || data.channels > 65536 || data.grid[0] == 0)
    throw FileError(fmt::format(
        "{}: {} has the shape [{}]; points are [{}{}] or [{}{}], or [{}, …] where each of the {} samples has "
        "its own",
        file.path().string(), name, fmt::join(shape, ", "), points > 0 ? std::to_string(points) : "points",
        coordinates > 1 ? fmt::format(", {}", coordinates) : "",
        points > 0 ? std::to_string(points) : "points",
        coordinates > 0 ? fmt::format(", {}", coordinates) : ", coordinates", samples, samples));
  const std::size_t size = data.points() * data.channels;
  data.values.resize(data.samples * size);
  // Of an array that has no axis of samples each point is a row.
  const std::size_t rows = shared ? shape[0] : count,
                    row = data.values.size() / std::max<std::size_t>(1, rows);
  if (rows > 0) file.read<T>(name, shared ? 0 : first, View<T, 2>(data.values.data(), rows, row));
  return data;
}
template FieldData<float> read_points<float>(const ArrayFile&, const std::string&, std::size_t, std::size_t,
                                             std::size_t, std::size_t, std::size_t);
template FieldData<double> read_points<double>(const ArrayFile&, const std::string&, std::size_t, std::size_t,
                                               std::size_t, std::size_t, std::size_t);

}  // namespace sobolev
