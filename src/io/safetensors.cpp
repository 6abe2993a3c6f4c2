// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "src/io/bytes.hpp"
#include "src/io/formats.hpp"

namespace sobolev {
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

Tensor read_tensor(const std::string& path, const std::string& name, const Json& entry, std::string_view data,
                   std::pair<std::size_t, std::size_t>& bytes_of) {
  if (!entry.is_object()) bad(path, name + " is not described by an object");
  Tensor tensor;
  tensor.shape = sizes(path, name, entry, "shape");
  const std::vector<std::size_t> offsets = sizes(path, name, entry, "data_offsets");
  if (!entry.contains("dtype") || !entry["dtype"].is_string()) bad(path, name + " has no dtype");
  const std::string type = entry["dtype"].get<std::string>();
  const std::size_t width = type == "F64" || type == "I64" ? 8 : type == "F32" ? 4 : 0;
  if (width == 0)
    throw FileError(fmt::format("{}: {} has type {}; F64, F32 and I64 are read", path, name, type));
  const auto count = detail::element_count(tensor.shape);
  std::size_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, width, &bytes))
    bad(path, fmt::format("the shape of {} is too large", name));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes)
    bad(path, fmt::format("{} has {} numbers of {} bytes, which its data_offsets do not hold", name, *count,
                          width));
  if (offsets[1] > data.size())
    bad(path, fmt::format("{} ends at byte {} of the data, but there are {} (truncated?)", name, offsets[1],
                          data.size()));
  bytes_of = {offsets[0], offsets[1]};
  data = data.substr(offsets[0], bytes);
  tensor.values = type == "F64"   ? detail::read_numbers<double>(data, *count)
                  : type == "F32" ? detail::read_numbers<float>(data, *count)
                                  : detail::read_numbers<std::int64_t>(data, *count);
  return tensor;
}
/// Together the tensors are the data: no byte belongs to two of them, and none to none.
void check_parts(const std::string& path, std::vector<std::pair<std::size_t, std::size_t>> parts,
                 std::size_t bytes) {
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

TensorFile detail::decode_safetensors(std::string_view bytes, const std::string& path) {
  if (bytes.size() < header_at) bad(path, fmt::format("it has {} bytes", bytes.size()));
  const auto header_size = detail::read_number<std::uint64_t>(bytes, 0);
  if (header_size > bytes.size() - header_at)
    bad(path, fmt::format("its header should have {} bytes, but {} follow (truncated?)", header_size,
                          bytes.size() - header_at));
  const std::string_view header = bytes.substr(header_at, header_size);
  const std::string_view data = bytes.substr(header_at + header_size);

  // A map of the entries, and their names in the order of the file: an object that keeps its order is
  // searched from the front for every key, which is quadratic.
  KeyCollector collector;
  if (!Json::sax_parse(header, &collector)) bad(path, "its header is not a JSON object");
  const std::vector<std::string>& names = collector.keys;
  const Json json = Json::parse(header, nullptr, false);
  if (json.is_discarded() || !json.is_object()) bad(path, "its header is not a JSON object");
  TensorFile file;
  std::set<std::string> seen;
  std::vector<std::pair<std::size_t, std::size_t>> parts;  // first byte and the one after the last
  for (const std::string& name : names) {
    const Json& entry = json.at(name);
    if (!seen.insert(name).second) bad(path, name + " is described twice");
    if (name == metadata_key) {
      if (!entry.is_object()) bad(path, "its metadata is not an object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) bad(path, fmt::format("metadata {} is not a text", key));
        file.metadata[key] = value.get<std::string>();
      }
    } else {
      parts.emplace_back();
      file.tensors.emplace_back(name, read_tensor(path, name, entry, data, parts.back()));
    }
  }
  check_parts(path, std::move(parts), data.size());
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
