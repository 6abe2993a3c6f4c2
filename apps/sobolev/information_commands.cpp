// SPDX-License-Identifier: Apache-2.0
// list and info.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/operators/operator_model.hpp"

namespace sobolev::app {
namespace {
using Json = nlohmann::ordered_json;

/// What the comment "# Source: ..." of a zoo file says, with its continuation lines.
std::string source_of(const std::string& text) {
  constexpr std::string_view mark = "# Source: ";
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  std::string out;
  for (std::size_t begin = at + mark.size();;) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (!out.empty()) out += ' ';
    out.append(text, begin, end - begin);
    if (text.compare(std::min(end + 1, text.size()), 2, "# ") != 0) return out;
    begin = end + 3;
  }
}

void print_shipped(const Json& shipped) {
  std::size_t width = 0;
  for (const Json& one : shipped) width = std::max(width, one["name"].get<std::string>().size());
  for (const Json& one : shipped) {
    print("{:<{}}  {}\n", one["name"].get<std::string>(), width, one["title"].get<std::string>());
    if (const auto source = one["source"].get<std::string>(); !source.empty())
      print("{:<{}}    {}\n", "", width, source);
  }
}
}  // namespace

int run_list(bool json) {
  Json problems = Json::array(), models = Json::array();
  const auto add = [](Json& to, const std::string& name, const std::string& title,
                      const std::filesystem::path& path) {
    to.push_back(
        {{"name", name}, {"title", title}, {"source", source_of(read_file(path))}, {"file", path.string()}});
  };
  for (const auto& [name, path] : zoo()) add(problems, name, Problem::from_file(path).title, path);
  for (const auto& [name, path] : shipped_models())
    add(models, name, OperatorFile::from_file(path).title, path);
  if (json) {
    print_json({{"problems", problems}, {"models", models}});
    return done;
  }
  print("problems (sobolev solve NAME)\n");
  print_shipped(problems);
  print("\nmodels of operators (sobolev train NAME)\n");
  print_shipped(models);
  return done;
}

int run_info(bool json) {
#if SOBOLEV_HAS_CUDA
  const Json cuda = cuda_device_names();
  std::string text = cuda.empty() ? "no device" : "";
  for (std::size_t i = 0; i < cuda.size(); ++i)
    text += fmt::format("{}cuda:{} {}", i > 0 ? ", " : "", i, cuda[i].get<std::string>());
#else
  const Json cuda = "off";
  const std::string text = "off";
#endif
  const Json object = {{"version", version()},
                       {"processor", Cpu::processor()},
                       {"instruction_set", Cpu::instruction_set()},
                       {"threads", Cpu().threads()},
                       {"cuda", cuda}};
  if (json) {
    print_json(object);
    return done;
  }
  print("sobolev {}\nprocessor        {}\ninstruction set  {}\nthreads          {}\nCUDA             {}\n",
        version(), Cpu::processor(), Cpu::instruction_set(), Cpu().threads(), text);
  return done;
}

}  // namespace sobolev::app
