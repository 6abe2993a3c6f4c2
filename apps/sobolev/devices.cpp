// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "apps/sobolev/commands.hpp"
#include "sobolev/core/error.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev::app {

DeviceChoice parse_device(const std::string& name) {
  if (name == "cpu") return {};
  DeviceChoice choice{true, 0};
  bool valid = name == "cuda";
  if (name.starts_with("cuda:")) {
    const char *begin = name.data() + 5, *end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(begin, end, choice.index);
    valid = error == std::errc() && stop == end && choice.index >= 0;
  }
  if (!valid)
    throw ArgumentError(
        fmt::format("--device {}: no such device; use cpu, cuda or cuda:N with N = 0, 1, …", name));
#if SOBOLEV_HAS_CUDA
  [[maybe_unused]] const Cuda there(choice.index);  // throws when there is none
  return choice;
#else
  throw DeviceError(fmt::format("--device {}: this sobolev was built without CUDA; use --device cpu", name));
#endif
}

std::vector<std::string> cuda_device_names() {
  std::vector<std::string> names;
#if SOBOLEV_HAS_CUDA
  for (int i = 0; i < Cuda::count(); ++i) names.push_back(Cuda(i).name());
#endif
  return names;
}

}  // namespace sobolev::app
