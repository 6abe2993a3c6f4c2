// SPDX-License-Identifier: Apache-2.0
// safetensors: where their tensors stand.
#include <fmt/format.h>

#include <algorithm>

#include "src/io/flat_arrays.hpp"
#include "src/io/formats.hpp"

namespace sobolev::detail {
namespace {
std::optional<NumberType> type_of(const SafetensorsEntry& entry) {
  if (entry.type == "BF16") return NumberType::bf16;
  if (entry.type == "BOOL") return NumberType::boolean;
  for (const auto& [letter, kind] : {std::pair('F', 'f'), std::pair('I', 'i'), std::pair('U', 'u')})
    if (entry.type == fmt::format("{}{}", letter, 8 * entry.width())) return number_type(kind, entry.width());
  return std::nullopt;
}
}  // namespace

FlatArrays safetensors_arrays(const FileBytes& file) {
  const std::string where = file.path().string();
  const std::size_t data_at =
      safetensors_header_size(file.read(0, std::min<std::uint64_t>(8, file.size())), file.size(), where);
  const SafetensorsHeader header =
      decode_safetensors_header(file.read(0, data_at), file.size() - data_at, where);
  FlatArrays found;
  for (const auto& [key, text] : header.metadata) found.attributes[""][key] = text;
  for (const SafetensorsEntry& entry : header.entries) {
    const auto type = type_of(entry);
    if (!type) {
      found.others[entry.name] = fmt::format("a tensor of type {}", entry.type);
      continue;
    }
    FlatArray& array = found.arrays.emplace_back();
    array.info = {entry.name, entry.shape, name_of(*type)};
    array.type = *type;
    array.at = data_at + entry.begin;
  }
  return found;
}

}  // namespace sobolev::detail
