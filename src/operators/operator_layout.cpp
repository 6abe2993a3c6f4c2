// SPDX-License-Identifier: Apache-2.0
#include "src/operators/operator_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
OperatorLayout all_at_once(const OperatorFile& file) {
  OperatorLayout layout;
  layout.output_part = 1;
  for (const auto& [names, channels] :
       {std::pair(&file.inputs, &layout.inputs), std::pair(&file.outputs, &layout.outputs)}) {
    OperatorLayout::Part& part = layout.parts.emplace_back();
    part.names = *names;
    for (const std::string& name : *names)
      for (std::size_t c = 0; c < FieldName::parse(name).channels(); ++c) {
        part.group.push_back(part.channels);
        channels->push_back({part.channels++});
      }
  }
  return layout;
}
}  // namespace

OperatorLayout layout_of(const OperatorFile& file) {
  if (!file.rollout) return all_at_once(file);
  OperatorLayout layout;
  OperatorLayout::Part& part = layout.parts.emplace_back();
  std::vector<std::size_t> output_of(file.inputs.size(), file.outputs.size());  // that an input goes on with
  const auto read = [&](const std::string& name, std::size_t channels, bool one_quantity) {
    part.names.push_back(name);
    const std::size_t first = part.channels;
    for (std::size_t c = 0; c < channels; ++c) part.group.push_back(one_quantity ? first : first + c);
    part.channels += channels;
    return first;
  };
  std::vector<std::size_t> first_of;  // by output: where its fields begin among those read
  for (std::size_t o = 0; o < file.outputs.size(); ++o) {
    const FieldName output = FieldName::parse(file.outputs[o]);
    require(output.times, [&] {
      return fmt::format("with data.rollout outputs have times, as u[10:20]; {} has none", file.outputs[o]);
    });
    if (o == 0) layout.steps = output.channels();
    require(output.channels() == layout.steps, [&] {
      return fmt::format("with data.rollout all outputs have as many times; {} has {} and {} has {}",
                         file.outputs[0], layout.steps, file.outputs[o], output.channels());
    });
    const auto before = std::find_if(file.inputs.begin(), file.inputs.end(), [&](const std::string& text) {
      const FieldName input = FieldName::parse(text);
      return input.array == output.array && input.times && input.last == output.first;
    });
    require(before != file.inputs.end(), [&] {
      return fmt::format(
          "with data.rollout an input ends where the output {} begins: data.inputs needs {}[…:{}]",
          file.outputs[o], output.array, output.first);
    });
    std::size_t& taken = output_of[std::size_t(before - file.inputs.begin())];
    require(taken == file.outputs.size(),
            [&] { return fmt::format("data.outputs has {} twice", file.outputs[o]); });
    taken = o;
    const FieldName input = FieldName::parse(*before);
    const std::size_t first = read(fmt::format("{}[{}:{}]", output.array, input.first, output.last),
                                   output.last - input.first, true);
    first_of.push_back(first);
    layout.outputs.push_back({first + input.channels(), true});
  }
  for (std::size_t i = 0; i < file.inputs.size(); ++i) {
    const std::size_t count = FieldName::parse(file.inputs[i]).channels(), at = layout.inputs.size(),
                      o = output_of[i];
    const bool moves = o < file.outputs.size();
    const std::size_t first = moves ? first_of[o] : read(file.inputs[i], count, false);
    for (std::size_t c = 0; c < count; ++c) layout.inputs.push_back({first + c, moves});
    if (!moves) {
      layout.next.push_back({false, at, at, count});
      continue;
    }
    if (count > 1) layout.next.push_back({false, at + 1, at, count - 1});
    layout.next.push_back({true, o, at + count - 1, 1});
  }
  return layout;
}

void check_together(const OperatorFile& file) {
  const auto fail = [&](const char* key, const std::string& message) {
    throw ParseError(file.positions.at(key), message);
  };
  if (file.rollout && file.kind == OperatorKind::deeponet)
    fail("data.rollout",
         "data.rollout is of models that answer on the grid of their input; a deeponet does not");
  if (file.loss != OperatorLoss::l2 && !file.points.empty())
    fail("training.loss", "H1 norms are of outputs on a grid; data.points are none");
  if (file.rollout) {
    OperatorLayout layout;
    try {
      layout = layout_of(file);
    } catch (const ArgumentError& error) {
      fail("data.rollout", error.what());
    }
    if (file.unroll > layout.steps)
      fail("training.unroll",
           fmt::format("training.unroll is {}; data.outputs has {} times", file.unroll, layout.steps));
  } else if (file.unroll > 0) {
    fail("training.unroll", "training.unroll is of models with data.rollout = true");
  }
  if (file.early_stop > 0 && file.validation == 0)
    fail("training.early_stop",
         "training.early_stop needs data.validation, the number of samples whose error it looks at");
}

}  // namespace sobolev::detail
