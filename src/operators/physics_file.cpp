// SPDX-License-Identifier: Apache-2.0
#include "src/operators/physics_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sobolev/core/words.hpp"
#include "sobolev/expression/parse.hpp"

namespace sobolev::detail {
namespace {
/// Where the text of an expression begins, for errors that count from there.
const SourcePosition first_column{"", 1, 1};

template <class F>
auto parsed(const TomlReader& reader, const TomlNode& node, const std::string& path, const F& parse) {
  const std::string source = reader.text(node, path, "\"u_t + u*u_x = nu*u_xx\"");
  try {
    return parse(source);
  } catch (const ParseError& error) {
    reader.fail_in_text(node, std::max<std::size_t>(error.position().column, 1) - 1,
                        path + ": " + error.message());
  }
}
}  // namespace

void read_physics(const TomlReader& reader, const TomlEntry& table, OperatorFile& file) {
  if (!file.points.empty())
    throw ParseError(table.position,
                     "[physics] is of outputs on a grid; those at data.points may lie anywhere");
  PhysicsOptions& physics = file.physics;
  ExpressionScope scope;
  const auto entries = [&](const char* key) -> const std::vector<TomlEntry>& {
    static const std::vector<TomlEntry> none;
    const TomlNode* node = table.value.find(key);
    if (node == nullptr) return none;
    if (node->kind != TomlNode::Kind::table)
      reader.expected(*node, fmt::format("physics.{}", key), "a table");
    return node->entries;
  };
  for (const TomlEntry& entry : entries("coordinates")) {
    const std::string path = "physics.coordinates." + entry.key;
    if (entry.value.kind != TomlNode::Kind::array || entry.value.items.size() != 2)
      reader.expected(entry.value, path, "where the axis begins and ends, e.g. [0, 1]");
    PhysicsOptions::Axis axis{entry.key, reader.literal(entry.value.items[0], path, "a number"),
                              reader.literal(entry.value.items[1], path, "a number"), false};
    if (!(axis.low < axis.high))
      reader.fail(entry.value,
                  fmt::format("{} ends at {}, which is not behind its begin {}", path, axis.high, axis.low));
    physics.axes.push_back(axis);
    scope.coordinates.push_back(entry.key);
  }
  if (physics.axes.empty())
    throw ParseError(table.position,
                     "[physics] needs coordinates, an interval for each axis of the outputs, e.g. "
                     "coordinates = { t = [0, 1], x = [0, 1] }");
  if (const TomlNode* node = table.value.find("periodic")) {
    if (node->kind != TomlNode::Kind::array)
      reader.expected(*node, "physics.periodic", "a list of coordinates, e.g. [\"x\"]");
    for (const TomlNode& item : node->items)
      physics.axes[std::size_t(reader.choice(item, "physics.periodic", scope.coordinates))].periodic = true;
  }
  for (const TomlEntry& entry : entries("constants")) {
    const std::string path = "physics.constants." + entry.key;
    ExpressionScope numbers;
    numbers.constants = scope.constants;
    const Expr value =
        entry.value.kind == TomlNode::Kind::string
            ? parsed(reader, entry.value, path,
                     [&](const std::string& text) { return parse_expression(text, numbers, first_column); })
            : Expr(reader.literal(entry.value, path, "a number"));
    if (!value.is_constant()) reader.fail(entry.value, path + " is no constant");
    scope.constants[entry.key] = value->value;
  }
  for (const std::string& output : file.outputs) {
    const FieldName name = FieldName::parse(output);
    if (name.times)
      throw ParseError(table.position, fmt::format("[physics] is of outputs whose times are an axis; \"{}\" "
                                                   "takes them as channels",
                                                   output));
    physics.unknowns.push_back(name.array);
  }
  scope.unknowns = physics.unknowns;
  for (const TomlEntry& entry : entries("equations")) {
    const auto sides =
        parsed(reader, entry.value, "physics.equations." + entry.key,
               [&](const std::string& text) { return parse_equation(text, scope, first_column); });
    physics.equations.push_back({entry.key, sides.first - sides.second});
    if (!contains_fields(physics.equations.back().residual))
      reader.fail(entry.value, fmt::format("physics.equations.{} is no equation of {}", entry.key,
                                           word_list(physics.unknowns)));
  }
  const auto number = [&](const char* key, double& to) {
    const TomlNode* node = table.value.find(key);
    if (node == nullptr) return;
    const std::string path = fmt::format("physics.{}", key);
    to = reader.literal(*node, path, "a number");
    if (to < 0) reader.fail(*node, fmt::format("{} is {}; it must be 0 or above", path, to));
  };
  number("weight", physics.weight);
  number("data", physics.data);
  number("initial", physics.initial);
  if (const TomlNode* node = table.value.find("samples")) {
    const long long samples = reader.long_integer(*node, "physics.samples");
    if (samples < 0 || samples > (1ll << 40))
      reader.fail(*node, fmt::format("physics.samples is {}; it must be 0 or above", samples));
    physics.samples = std::size_t(samples);
  }
  if (const TomlNode* node = table.value.find("order")) {
    physics.order = reader.integer(*node, "physics.order");
    if (physics.order != 2 && physics.order != 4)
      reader.fail(*node,
                  fmt::format("physics.order is {}; finite differences are of order 2 or 4", physics.order));
  }
}

}  // namespace sobolev::detail
