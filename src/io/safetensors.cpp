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
using Json = nlohmann::ordered_json;

constexpr std::size_t header_at = 8;
constexpr const char* metadata_key = "__metadata__";

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
                   std::size_t& end) {
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
  end = std::max(end, offsets[1]);
  data = data.substr(offsets[0], bytes);
  tensor.values = type == "F64"   ? detail::read_numbers<double>(data, *count)
                  : type == "F32" ? detail::read_numbers<float>(data, *count)
                                  : detail::read_numbers<std::int64_t>(data, *count);
  return tensor;
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

  const Json json = Json::parse(header, nullptr, false);
  if (json.is_discarded() || !json.is_object()) bad(path, "its header is not a JSON object");
  TensorFile file;
  std::size_t end = 0;
  for (const auto& [name, entry] : json.items()) {
    if (name == metadata_key) {
      if (!entry.is_object()) bad(path, "its metadata is not an object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) bad(path, fmt::format("metadata {} is not a text", key));
        file.metadata[key] = value.get<std::string>();
      }
    } else {
      if (file.contains(name)) bad(path, name + " is described twice");
      file.tensors.emplace_back(name, read_tensor(path, name, entry, data, end));
    }
  }
  if (end != data.size())
    bad(path, fmt::format("its tensors end at byte {} of the data, but there are {}", end, data.size()));
  return file;
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  return detail::decode_safetensors(read_file(path), path.string());
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file,
                       const std::function<void()>& before_rename) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[metadata_key] = file.metadata;
  std::string data;
  std::set<std::string> names;
  for (const auto& [name, tensor] : file.tensors) {
    require(names.insert(name).second && name != metadata_key,
            fmt::format("write_safetensors: the name {} is taken", name));
    require(detail::element_count(tensor.shape) == tensor.values.size(),
            fmt::format("write_safetensors: the shape of {} does not hold its {} values", name,
                        tensor.values.size()));
    const std::size_t begin = data.size();
    detail::append_doubles(data, tensor.values);
    header[name] = {{"dtype", "F64"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw ArgumentError("write_safetensors: a name or a metadata text is not UTF-8");
  }
  text.append((8 - text.size() % 8) % 8, ' ');  // the data then begin at a multiple of 8 bytes
  std::string bytes;
  bytes.reserve(header_at + text.size() + data.size());
  detail::append_number(bytes, static_cast<std::uint64_t>(text.size()));
  bytes += text;
  bytes += data;
  atomic_write(path, bytes, before_rename);
}

}  // namespace sobolev
