// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "src/io/bytes.hpp"
#include "src/io/formats.hpp"

namespace sobolev {
using detail::SafetensorsEntry;
using detail::SafetensorsHeader;

namespace {
using Json = nlohmann::json;

constexpr std::size_t header_at = 8;
constexpr const char* metadata_key = "__metadata__";

/// The keys of the outermost object.
struct KeyCollector : nlohmann::json_sax<Json> {
  std::vector<std::string> keys;
  int depth = 0;
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth > 0; }
  bool end_object() override { return --depth >= 0; }
  bool start_array(std::size_t) override { return ++depth > 0; }
  bool end_array() override { return --depth >= 0; }
  bool key(string_t& name) override {
    if (depth == 1) keys.push_back(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
};

[[noreturn]] void bad(const std::string& path, const std::string& what) {
  throw FileError(fmt::format("{} is not a whole safetensors file: {}", path, what));
}

std::vector<std::size_t> sizes(const std::string& path, const std::string& name, const Json& entry,
                               const char* key) {
  std::vector<std::size_t> out;
  if (!entry.contains(key) || !entry[key].is_array()) bad(path, fmt::format("{} has no list {}", name, key));
  for (const Json& size : entry[key]) {
    if (!size.is_number_unsigned()) bad(path, fmt::format("{} of {} is not a list of sizes", key, name));
    out.push_back(size.get<std::size_t>());
  }
  return out;
}

SafetensorsEntry read_entry(const std::string& path, const std::string& name, const Json& entry,
                            std::size_t data_size) {
  if (!entry.is_object()) bad(path, name + " is not described by an object");
  SafetensorsEntry tensor;
  tensor.name = name;
  tensor.shape = sizes(path, name, entry, "shape");
  const std::vector<std::size_t> offsets = sizes(path, name, entry, "data_offsets");
  if (!entry.contains("dtype") || !entry["dtype"].is_string()) bad(path, name + " has no dtype");
  tensor.type = entry["dtype"].get<std::string>();
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    bad(path, fmt::format("the data_offsets of {} are not a first and a last byte", name));
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  if (const std::size_t width = tensor.width()) {
    const auto count = detail::element_count(tensor.shape);
    std::size_t bytes = 0;
    if (!count || __builtin_mul_overflow(*count, width, &bytes))
      bad(path, fmt::format("the shape of {} is too large", name));
    if (tensor.end - tensor.begin != bytes)
      bad(path, fmt::format("{} has {} numbers of {} bytes, which its data_offsets do not hold", name, *count,
                            width));
  }
  if (tensor.end > data_size)
    bad(path, fmt::format("{} ends at byte {} of the data, but there are {} (truncated?)", name, tensor.end,
                          data_size));
  return tensor;
}

Tensor read_tensor(const std::string& path, const SafetensorsEntry& entry, std::string_view data) {
  if (entry.type != "F64" && entry.type != "F32" && entry.type != "I64")
    throw FileError(
        fmt::format("{}: {} has type {}; F64, F32 and I64 are read", path, entry.name, entry.type));
  data = data.substr(entry.begin, entry.end - entry.begin);
  const std::size_t count = data.size() / entry.width();
  return {entry.shape, entry.type == "F64"   ? detail::read_numbers<double>(data, count)
                       : entry.type == "F32" ? detail::read_numbers<float>(data, count)
                                             : detail::read_numbers<std::int64_t>(data, count)};
}

/// Together the tensors are the data: no byte belongs to two of them, and none to none.
void check_parts(const std::string& path, const std::vector<SafetensorsEntry>& entries, std::size_t bytes) {
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  for (const SafetensorsEntry& entry : entries) parts.emplace_back(entry.begin, entry.end);
  std::sort(parts.begin(), parts.end());
  std::size_t end = 0;
  for (const auto& [first, last] : parts) {
    if (first == last) continue;
    if (first < end) bad(path, fmt::format("two tensors overlap at byte {} of the data", first));
    if (first > end) bad(path, fmt::format("the bytes {} to {} of the data belong to no tensor", end, first));
    end = last;
  }
  if (end != bytes)
    bad(path, fmt::format("its tensors end at byte {} of the data, but there are {}", end, bytes));
}
}  // namespace

bool TensorFile::contains(const std::string& name) const {
  return std::any_of(tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.first == name; });
}

const Tensor& TensorFile::at(const std::string& name, const std::filesystem::path& path) const {
  std::string names;
  for (const auto& [key, tensor] : tensors) {
    if (key == name) return tensor;
    if (names.size() < 200) names += (names.empty() ? "" : ", ") + key;
  }
  throw FileError(
      fmt::format("{} has no tensor {}; it has {}", path.string(), name, names.empty() ? "none" : names));
}

std::size_t SafetensorsEntry::width() const {
  const std::size_t bits = type == "BOOL"    ? 8
                           : type == "BF16"  ? 16
                           : type.size() > 1 ? std::strtoul(type.c_str() + 1, nullptr, 10)
                                             : 0;
  return bits <= 64 ? bits / 8 : 0;
}

std::size_t detail::safetensors_header_size(std::string_view begin, std::size_t file_size,
                                            const std::string& path) {
  if (begin.size() < header_at) bad(path, fmt::format("it has {} bytes", file_size));
  const auto size = detail::read_number<std::uint64_t>(begin, 0);
  if (size > file_size - header_at)
    bad(path, fmt::format("its header should have {} bytes, but {} follow (truncated?)", size,
                          file_size - header_at));
  return header_at + size;
}

SafetensorsHeader detail::decode_safetensors_header(std::string_view bytes, std::size_t data_size,
                                                    const std::string& path) {
  const std::string_view header = bytes.substr(header_at);
  // A map of the entries, and their names in the order of the file: an object that keeps its order is
  // searched from the front for every key, which is quadratic.
  KeyCollector collector;
  if (!Json::sax_parse(header, &collector)) bad(path, "its header is not a JSON object");
  const std::vector<std::string>& names = collector.keys;
  const Json json = Json::parse(header, nullptr, false);
  if (json.is_discarded() || !json.is_object()) bad(path, "its header is not a JSON object");
  SafetensorsHeader found;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    const Json& entry = json.at(name);
    if (!seen.insert(name).second) bad(path, name + " is described twice");
    if (name == metadata_key) {
      if (!entry.is_object()) bad(path, "its metadata is not an object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) bad(path, fmt::format("metadata {} is not a text", key));
        found.metadata[key] = value.get<std::string>();
      }
    } else {
      found.entries.push_back(read_entry(path, name, entry, data_size));
    }
  }
  check_parts(path, found.entries, data_size);
  return found;
}

TensorFile detail::decode_safetensors(std::string_view bytes, const std::string& path) {
  const std::size_t data_at = safetensors_header_size(bytes, bytes.size(), path);
  const std::string_view data = bytes.substr(data_at);
  SafetensorsHeader header = decode_safetensors_header(bytes.substr(0, data_at), data.size(), path);
  TensorFile file;
  file.metadata = std::move(header.metadata);
  for (const SafetensorsEntry& entry : header.entries)
    file.tensors.emplace_back(entry.name, read_tensor(path, entry, data));
  return file;
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  return detail::decode_safetensors(read_file(path), path.string());
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file,
                       const std::function<void()>& before_rename) {
  std::string data, text;
  std::set<std::string> names;
  try {
    if (!file.metadata.empty()) text = fmt::format("{{\"{}\":{}", metadata_key, Json(file.metadata).dump());
    for (const auto& [name, tensor] : file.tensors) {
      require(names.insert(name).second && name != metadata_key,
              fmt::format("write_safetensors: the name {} is taken", name));
      require(detail::element_count(tensor.shape) == tensor.values.size(),
              fmt::format("write_safetensors: the shape of {} does not hold its {} values", name,
                          tensor.values.size()));
      const std::size_t begin = data.size();
      detail::append_doubles(data, tensor.values);
      // The members in the order of the format's own description.
      text += fmt::format("{}{}:{{\"dtype\":\"F64\",\"shape\":{},\"data_offsets\":[{},{}]}}",
                          text.empty() ? "{" : ",", Json(name).dump(), Json(tensor.shape).dump(), begin,
                          data.size());
    }
  } catch (const nlohmann::json::exception&) {
    throw ArgumentError("write_safetensors: a name or a metadata text is not UTF-8");
  }
  text += text.empty() ? "{}" : "}";
  text.append((8 - text.size() % 8) % 8, ' ');  // the data then begin at a multiple of 8 bytes
  std::string bytes;
  bytes.reserve(header_at + text.size() + data.size());
  detail::append_number(bytes, static_cast<std::uint64_t>(text.size()));
  bytes += text;
  bytes += data;
  atomic_write(path, bytes, before_rename);
}

}  // namespace sobolev
