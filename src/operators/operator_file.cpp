// SPDX-License-Identifier: Apache-2.0
// Model files: one table of keys reads them, says what a value may be and which keys there are.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "sobolev/core/words.hpp"
#include "sobolev/expression/parse.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/operators/operator_model.hpp"
#include "src/io/toml_reader.hpp"
#include "src/operators/model_keys.hpp"
#include "src/operators/operator_layout.hpp"
#include "src/operators/physics_file.hpp"
#include "src/problem/zoo.hpp"

namespace sobolev {
namespace {
using detail::TomlNode;
using detail::TomlReader;
using Read = std::function<void(const TomlReader&, const TomlNode&, const std::string& path, OperatorFile&)>;

/// How a key is read, and what its value may be, in Markdown; empty: model_keys.cpp says it.
struct Reading {
  Read read;
  std::string type;
  template <class F>
  Reading(F f, std::string text = "") : read(std::move(f)), type(std::move(text)) {}
};
std::string range_text(const char* what, double low, double high, bool low_itself) {
  if (!std::isfinite(high))
    return low_itself ? fmt::format("{}, at least {}", what, low) : fmt::format("{} above {}", what, low);
  return low_itself ? fmt::format("{} {} … {}", what, low, high)
                    : fmt::format("{} in ({}, {}]", what, low, high);
}

constexpr std::size_t largest_file = std::size_t{4} << 20;

template <class V>
Reading whole(V OperatorFile::*member, long long low, long long high) {
  const auto read = [=](const TomlReader& reader, const TomlNode& node, const std::string& path,
                        OperatorFile& file) {
    const long long value = reader.long_integer(node, path);
    if (value < low || value > high)
      reader.fail(node, fmt::format("{} is {}; it must be from {} to {}", path, value, low, high));
    file.*member = static_cast<V>(value);
  };
  constexpr long long no_limit = 1ll << 40;
  return {read, high >= no_limit ? fmt::format("whole number, at least {}", low)
                                 : fmt::format("whole number {} … {}", low, high)};
}
Reading number(double OperatorFile::*member, double low, double high, bool low_itself) {
  const auto read = [=](const TomlReader& reader, const TomlNode& node, const std::string& path,
                        OperatorFile& file) {
    const double value = reader.literal(node, path, "a number");
    if (value < low || value > high || (value == low && !low_itself))
      reader.fail(node,
                  fmt::format("{} is {}; it must be {} {}{}", path, value, low_itself ? "from" : "above", low,
                              std::isfinite(high) ? fmt::format(" to {}", high) : ""));
    file.*member = value;
  };
  return {read, range_text("number", low, high, low_itself)};
}
Reading truth(bool OperatorFile::*member) {
  const auto read = [=](const TomlReader& reader, const TomlNode& node, const std::string& path,
                        OperatorFile& file) { file.*member = reader.boolean(node, path); };
  return {read, "true or false"};
}
template <class V, std::size_t n>
Reading word(V OperatorFile::*member, const std::array<const char*, n>& words) {
  const auto read = [=](const TomlReader& reader, const TomlNode& node, const std::string& path,
                        OperatorFile& file) {
    file.*member = static_cast<V>(reader.choice(node, path, {words.begin(), words.end()}));
  };
  return {read, fmt::format("`\"{}\"`", fmt::join(words, "\"`, `\""))};
}
/// One number, or one for each axis.
Reading by_axis(std::vector<std::size_t> OperatorFile::*member, long long low, long long high) {
  const auto read = [=](const TomlReader& reader, const TomlNode& node, const std::string& path,
                        OperatorFile& file) {
    const auto one = [&](const TomlNode& item) {
      const long long value = reader.long_integer(item, path);
      if (value < low || value > high)
        reader.fail(item, fmt::format("{} is {}; it must be from {} to {}", path, value, low, high));
      (file.*member).push_back(std::size_t(value));
    };
    (file.*member).clear();
    if (node.kind != TomlNode::Kind::array) return one(node);
    if (node.items.empty() || node.items.size() > 3)
      reader.fail(node, fmt::format("{} has {} numbers; give one, or one for each of 1 to 3 axes", path,
                                    node.items.size()));
    for (const TomlNode& item : node.items) one(item);
  };
  return {read, fmt::format("whole number {} … {}, or one for each axis", low, high)};
}
/// A list of numbers of channels, which may be empty.
Reading widths(std::vector<std::size_t> OperatorFile::*member) {
  const auto read = [=](const TomlReader& reader, const TomlNode& node, const std::string& path,
                        OperatorFile& file) {
    if (node.kind != TomlNode::Kind::array || node.items.size() > 64)
      reader.expected(node, path, "a list of hidden channels, layer by layer, e.g. [40, 40]");
    reader.remember(path, node.position);
    (file.*member).clear();
    for (const TomlNode& item : node.items) {
      const long long value = reader.long_integer(item, path);
      if (value < 1 || value > 65536)
        reader.fail(item, fmt::format("{} has {}; it must be from 1 to 65536", path, value));
      (file.*member).push_back(std::size_t(value));
    }
  };
  return {read, "list of whole numbers 1 … 65536"};
}
/// A name of a field, or a list of them.
Reading fields(std::vector<std::string> OperatorFile::*member) {
  const auto read = [=](const TomlReader& reader, const TomlNode& node, const std::string& path,
                        OperatorFile& file) {
    const auto one = [&](const TomlNode& item) {
      const std::string name = reader.text(item, path, "\"u[0:10]\"");
      try {
        FieldName::parse(name);
      } catch (const ArgumentError& error) {
        reader.fail(item, fmt::format("{}: {}", path, error.what()));
      }
      (file.*member).push_back(name);
    };
    (file.*member).clear();
    if (node.kind != TomlNode::Kind::array) return one(node);
    if (node.items.empty()) reader.fail(node, path + " is empty; name a field of the data's file");
    for (const TomlNode& item : node.items) one(item);
  };
  return {read, "name or list of names"};
}

/// [[-8, 7], [0, 8]]: of each axis the lowest and the highest.
void read_frequencies(const TomlReader& reader, const TomlNode& node, const std::string& path,
                      OperatorFile& file) {
  if (node.kind != TomlNode::Kind::array || node.items.empty() || node.items.size() > 3)
    reader.expected(node, path, "a pair of whole numbers for each of 1 to 3 axes, e.g. [[-8, 7], [0, 8]]");
  file.frequencies.clear();
  for (const TomlNode& item : node.items) {
    if (item.kind != TomlNode::Kind::array || item.items.size() != 2)
      reader.expected(item, path, "a pair of whole numbers, e.g. [-8, 7]");
    const ModeRange range{reader.integer(item.items[0], path), reader.integer(item.items[1], path)};
    const bool last = &item == &node.items.back();
    if (range.low > range.high || range.low < -4096 || range.high > 4096 || (last && range.low < 0))
      reader.fail(
          item,
          fmt::format("{}: there are no frequencies {} … {}{}; a pair is the lowest and the highest, "
                      "within ±4096",
                      path, range.low, range.high, last ? " of the last axis, which has none below 0" : ""));
    file.frequencies.push_back(range);
  }
}

/// A key of [physics], which read_physics reads.
Reading of_physics(const char* type) { return {Read(), type}; }

/// [1, 1, 2] or [[1, 1], [2, 0]]: smoothing steps before, or before and after the coarser grids, by level.
Reading smoothing() {
  const auto read = [](const TomlReader& reader, const TomlNode& node, const std::string& path,
                       OperatorFile& file) {
    const char* wanted =
        "smoothing steps from the finest level on, e.g. [1, 1, 2] or [[1, 1], [1, 0], [2, 0]]";
    if (node.kind != TomlNode::Kind::array || node.items.empty() || node.items.size() > 16)
      reader.expected(node, path, wanted);
    reader.remember(path, node.position);
    file.cycle.smoothing.clear();
    for (const TomlNode& item : node.items) {
      const bool pair = item.kind == TomlNode::Kind::array;
      if (pair && item.items.size() != 2) reader.expected(item, path, wanted);
      const auto steps = [&](const TomlNode& of) {
        const int value = reader.integer(of, path);
        if (value < 0 || value > 16)
          reader.fail(of, fmt::format("{} has {} steps; there may be from 0 to 16", path, value));
        return value;
      };
      const int before = steps(pair ? item.items[0] : item), after = pair ? steps(item.items[1]) : 0;
      const bool end = &item == &node.items.front() || &item == &node.items.back();
      if (end && before == 0)
        reader.fail(item, path + " needs a step before on the finest and on the coarsest level");
      file.cycle.smoothing.emplace_back(before, after);
    }
  };
  return {read, "list of numbers 0 … 16, or of pairs of them"};
}

struct ModelKey {
  const char *table, *key;
  bool required;
  Reading reading;
  std::vector<OperatorKind> of = {};  // the kinds that have it; none: all
};
const std::vector<ModelKey>& model_keys() {
  constexpr double any = std::numeric_limits<double>::infinity();
  const std::vector<OperatorKind> fno{OperatorKind::fno}, deeponet{OperatorKind::deeponet},
      mgno{OperatorKind::mgno}, grids{OperatorKind::fno, OperatorKind::mgno};
  static const std::vector<ModelKey> keys{
      {"model", "kind", true, word(&OperatorFile::kind, operator_kinds)},
      {"model", "modes", false, by_axis(&OperatorFile::modes, 1, 4096), fno},
      {"model", "frequencies", false, read_frequencies, fno},
      {"model", "width", false, whole(&OperatorFile::width, 1, 4096), grids},
      {"model", "layers", false, whole(&OperatorFile::layers, 1, 64), grids},
      {"model", "lifting", false, whole(&OperatorFile::lifting, 0, 65536), fno},
      {"model", "projection", false, whole(&OperatorFile::projection, 1, 65536), fno},
      {"model", "channel_mlp", false, whole(&OperatorFile::channel_mlp, 0, 65536), fno},
      {"model", "padding", false, by_axis(&OperatorFile::padding, 0, 65536), fno},
      {"model", "coordinates", false, truth(&OperatorFile::coordinates), grids},
      {"model", "smoothing", false, smoothing(), mgno},
      {"model",
       "cycle",
       false,
       {[](const TomlReader& reader, const TomlNode& node, const std::string& path, OperatorFile& file) {
          file.cycle.visits = 1 + int(reader.choice(node, path, {"v", "w"}));
        },
        R"(`"v"`, `"w"`)"},
       mgno},
      {"model",
       "boundary",
       false,
       {[](const TomlReader& reader, const TomlNode& node, const std::string& path, OperatorFile& file) {
          file.cycle.boundary =
              Boundary{int(reader.choice(node, path, {boundaries.begin(), boundaries.end()}))};
        },
        R"(`"zero"`, `"periodic"`, `"reflect"`, `"replicate"`)"},
       mgno},
      {"model", "smoother_bias", false,
       [](const TomlReader& reader, const TomlNode& node, const std::string& path, OperatorFile& file) {
         file.cycle.smoother_bias = reader.boolean(node, path);
       },
       mgno},
      {"model", "norm", false, truth(&OperatorFile::norm), mgno},
      {"model", "skip", false, truth(&OperatorFile::skip), mgno},
      {"model", "residual", false, truth(&OperatorFile::residual), mgno},
      {"model", "branch", false, widths(&OperatorFile::branch), deeponet},
      {"model", "trunk", false, widths(&OperatorFile::trunk), deeponet},
      {"model", "basis", false, whole(&OperatorFile::basis, 1, 65536), deeponet},
      {"model", "activation", false,
       [](const TomlReader& reader, const TomlNode& node, const std::string& path, OperatorFile& file) {
         file.activation =
             FieldActivation{reader.choice(node, path, {field_activations.begin(), field_activations.end()})};
       },
       deeponet},
      {"model", "end_point", false, truth(&OperatorFile::end_point)},
      {"data", "file", true,
       [](const TomlReader& reader, const TomlNode& node, const std::string& path, OperatorFile& file) {
         file.file = reader.text(node, path, "\"darcy.h5\"");
       }},
      {"data", "points", false,
       [](const TomlReader& reader, const TomlNode& node, const std::string& path, OperatorFile& file) {
         file.points = reader.text(node, path, "\"y\"");
       },
       deeponet},
      {"data", "inputs", true, fields(&OperatorFile::inputs)},
      {"data", "outputs", true, fields(&OperatorFile::outputs)},
      {"data", "train", true, whole(&OperatorFile::train, 1, 1ll << 40)},
      {"data", "test", true, whole(&OperatorFile::test, 0, 1ll << 40)},
      {"data", "stride", false, whole(&OperatorFile::stride, 1, 1 << 20)},
      {"data", "validation", false, whole(&OperatorFile::validation, 0, 1ll << 40)},
      {"data", "rollout", false, truth(&OperatorFile::rollout)},
      {"data", "periodic", false, truth(&OperatorFile::periodic)},
      {"data", "memory", false, number(&OperatorFile::memory, 0, any, false)},
      {"data", "normalise", false, truth(&OperatorFile::normalise)},
      {"physics", "coordinates", false, of_physics("table of intervals")},
      {"physics", "periodic", false, of_physics("list of coordinates")},
      {"physics", "constants", false, of_physics("table of numbers or texts")},
      {"physics", "equations", false, of_physics("table of equations")},
      {"physics", "weight", false, of_physics("number, at least 0")},
      {"physics", "data", false, of_physics("number, at least 0")},
      {"physics", "initial", false, of_physics("number, at least 0")},
      {"physics", "order", false, of_physics("2 or 4")},
      {"physics", "samples", false, of_physics("whole number, at least 0")},
      {"training", "batch", false, whole(&OperatorFile::batch, 1, 1 << 20)},
      {"training", "epochs", false, whole(&OperatorFile::epochs, 1, 1ll << 40)},
      {"training", "seconds", false, number(&OperatorFile::seconds, 0, any, true)},
      {"training", "learning_rate", false, number(&OperatorFile::learning_rate, 0, any, false)},
      {"training", "schedule", false, word(&OperatorFile::schedule, learning_rate_schedules)},
      {"training", "decay_every", false, whole(&OperatorFile::decay_every, 1, 1ll << 40)},
      {"training", "decay_factor", false, number(&OperatorFile::decay_factor, 0, 1, false)},
      {"training", "pct_start", false, number(&OperatorFile::pct_start, 0, 1, false)},
      {"training", "div", false, number(&OperatorFile::div, 1, any, true)},
      {"training", "final_div", false, number(&OperatorFile::final_div, 1, any, true)},
      {"training", "loss", false, word(&OperatorFile::loss, operator_losses)},
      {"training", "unroll", false, whole(&OperatorFile::unroll, 1, 1 << 20)},
      {"training", "noise", false, number(&OperatorFile::noise, 0, any, true)},
      {"training", "early_stop", false, whole(&OperatorFile::early_stop, 1, 1ll << 40)},
      {"training", "weight_decay", false, number(&OperatorFile::weight_decay, 0, any, true)},
      {"training", "precision", false, word(&OperatorFile::precision, precisions)},
      {"training", "seed", false, whole(&OperatorFile::seed, 0, std::numeric_limits<long long>::max())},
  };
  return keys;
}

/// ParseError of a table that is none, or has keys that there are not.
void check_keys(const TomlReader& reader, const detail::TomlEntry& table) {
  std::vector<std::string> names;
  for (const ModelKey& key : model_keys())
    if (table.key == key.table) names.emplace_back(key.key);
  if (table.value.kind != TomlNode::Kind::table) reader.expected(table.value, table.key, "a table");
  for (const detail::TomlEntry& entry : table.value.entries)
    if (std::find(names.begin(), names.end(), entry.key) == names.end())
      throw ParseError(entry.position, fmt::format("[{}] has no key {}{}; it has {}", table.key, entry.key,
                                                   suggestion(entry.key, names), word_list(names)));
}

void read_table(const TomlReader& reader, const detail::TomlEntry& table, OperatorFile& file) {
  check_keys(reader, table);
  for (const detail::TomlEntry& entry : table.value.entries)
    for (const ModelKey& key : model_keys())
      if (table.key == key.table && entry.key == key.key)
        key.reading.read(reader, entry.value, table.key + "." + entry.key, file);
}

OperatorFile read_model(detail::TomlDocument document, const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides)
    detail::apply_override(document, assignment,
                           [](const std::string&, const std::string&, const std::string&) { return false; });
  OperatorFile file;
  const TomlReader reader(document, file.positions);
  const std::vector<std::string> tables{"title", "model", "data", "physics", "training"};
  for (const detail::TomlEntry& entry : document.root.entries) {
    if (entry.key == "title") {
      file.title = reader.text(entry.value, "title", "\"Darcy flow\"");
    } else if (entry.key == "physics") {
      continue;  // its equations are of what [data] names
    } else if (std::find(tables.begin(), tables.end(), entry.key) != tables.end()) {
      read_table(reader, entry, file);
    } else {
      throw ParseError(entry.position, fmt::format("a model file has no key {}{}; it has {}", entry.key,
                                                   suggestion(entry.key, tables), word_list(tables)));
    }
  }
  for (const detail::TomlEntry& entry : document.root.entries)
    if (entry.key == "physics") {
      check_keys(reader, entry);
      detail::read_physics(reader, entry, file);
    }
  for (const ModelKey& key : model_keys()) {
    const auto found = file.positions.find(fmt::format("{}.{}", key.table, key.key));
    if (key.of.empty() || std::find(key.of.begin(), key.of.end(), file.kind) != key.of.end() ||
        found == file.positions.end())
      continue;
    std::vector<std::string> kinds;
    for (const OperatorKind kind : key.of)
      kinds.push_back(fmt::format("\"{}\"", operator_kinds[std::size_t(kind)]));
    throw ParseError(found->second,
                     fmt::format("{} is of models of the kind {}; this one is \"{}\"", found->first,
                                 word_list(kinds), operator_kinds[std::size_t(file.kind)]));
  }
  if (!file.points.empty() && file.stride != 1)
    throw ParseError(file.positions["data.stride"],
                     "data.stride is of fields on grids; data.points are none");
  if (file.kind == OperatorKind::fno && file.modes.empty() == file.frequencies.empty())
    throw ParseError({document.file, 0, 0}, "[model] needs either modes or frequencies");
  for (const ModelKey& key : model_keys())
    if (key.required && !file.positions.contains(fmt::format("{}.{}", key.table, key.key)))
      throw ParseError({document.file, 0, 0}, fmt::format("[{}] needs {}", key.table, key.key));
  detail::check_together(file);
  file.source = overrides.empty() ? document.text : detail::write_toml(document.root);
  return file;
}
}  // namespace

std::vector<detail::ModelKeyText> detail::model_key_texts() {
  std::vector<ModelKeyText> out;
  for (const ModelKey& key : model_keys()) {
    ModelKeyText text = model_key_line(fmt::format("{}.{}", key.table, key.key));
    if (text.type.empty()) text.type = key.reading.type;
    if (key.required) text.standard = "required";
    out.push_back(std::move(text));
  }
  return out;
}

OperatorFile OperatorFile::from_string(std::string_view text, const std::string& file_name,
                                       const std::vector<std::string>& overrides) {
  return read_model(detail::parse_toml(text, file_name), overrides);
}
OperatorFile OperatorFile::from_file(const std::filesystem::path& path,
                                     const std::vector<std::string>& overrides) {
  OperatorFile file = from_string(read_file(path, largest_file), path.string(), overrides);
  file.name = path.stem().string();
  return file;
}

std::filesystem::path find_model(const std::string& path_or_name) {
  return detail::find_shipped(path_or_name, "models", "model");
}
std::vector<std::pair<std::string, std::filesystem::path>> shipped_models() {
  return detail::shipped_files("models");
}

FieldNetwork OperatorFile::network(std::size_t axes, std::size_t in, std::size_t out,
                                   const std::vector<std::size_t>& sensors, std::size_t points_axes) const {
  if (kind == OperatorKind::deeponet) {
    DeepOnetOptions o;
    o.axes = int(axes);
    o.inputs = in;
    o.sensors = 1;
    for (std::size_t n : sensors) o.sensors *= n;
    o.coordinates = points_axes;
    o.outputs = out;
    o.branch = branch;
    o.trunk = trunk;
    o.basis = basis;
    o.activation = activation;
    return sobolev::deeponet(o);
  }
  if (kind == OperatorKind::mgno) {
    MgnoOptions o;
    o.axes = int(axes);
    o.inputs = in;
    o.outputs = out;
    o.layers = layers;
    o.cycle = cycle;
    o.cycle.channels = width;
    if (norm) o.cycle.norm.assign(cycle.smoothing.size() - 1, 0);
    o.skip = skip;
    o.residual = residual;
    if (coordinates && positions.contains("model.coordinates")) o.coordinates.assign(axes, {0, 1});
    o.end_point = end_point;
    return mgno(o);
  }
  const auto each = [&](const std::vector<std::size_t>& values, const char* what) {
    if (values.size() == 1) return std::vector<std::size_t>(axes, values[0]);
    require(values.size() == axes, [&] {
      return fmt::format("model.{} is given for {} axes; the data's fields have {}", what, values.size(),
                         axes);
    });
    return values;
  };
  FnoOptions o;
  o.inputs = in;
  o.outputs = out;
  o.width = width;
  if (frequencies.empty()) {
    o.modes = lowest_modes(each(modes, "modes"));
  } else {
    require(frequencies.size() == axes, [&] {
      return fmt::format("model.frequencies is given for {} axes; the data's fields have {}",
                         frequencies.size(), axes);
    });
    o.modes = frequencies;
  }
  o.layers = layers;
  o.lifting = lifting;
  o.projection = projection;
  o.channel_mlp = channel_mlp;
  if (coordinates) o.coordinates.assign(axes, {0, 1});
  o.end_point = end_point;
  if (!padding.empty())
    for (const std::size_t points : each(padding, "padding")) o.padding.push_back({0, points, 0});
  return fno(o);
}

}  // namespace sobolev
