// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `sobolev keys --models` and docs/operators.md say of the keys of a model file.
#include <string>
#include <vector>

namespace sobolev::detail {

struct ModelKeyText {
  std::string path;      // "model.width"
  std::string type;      // what a value may be, in Markdown
  std::string standard;  // what holds without it, in TOML or words; "required"
  std::string text;      // what it is, in Markdown
};
/// All keys, in the order of the table of keys (operator_file.cpp), which gives their types.
std::vector<ModelKeyText> model_key_texts();
/// The line of one key, without the type that the table gives; an Error where it has none.
ModelKeyText model_key_line(const std::string& path);

}  // namespace sobolev::detail
