// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers of an executor as the doubles of a checkpoint, and back.
#include <fmt/format.h>

#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/optim/optimizer.hpp"

namespace sobolev::detail {

template <class T, class E>
std::vector<double> to_host(const E& executor, View<const T, 1> from) {
  std::vector<T> host(from.size());
  download<T, 1>(executor, from, View<T, 1>(host.data(), host.size()));
  return {host.begin(), host.end()};
}
template <class T, class E>
void from_host(const E& executor, const std::vector<double>& from, View<T, 1> to) {
  const std::vector<T> host(from.begin(), from.end());
  upload<T, 1>(executor, View<const T, 1>(host.data(), host.size()), to);
}

/// A saved array of an optimiser, which must have so many numbers, or null; ArgumentError.
inline const std::vector<double>* saved_array(const NamedArrays& state, const std::string& name,
                                              std::size_t size) {
  const auto found = state.find(name);
  if (found == state.end()) return nullptr;
  require(found->second.size() == size,
          fmt::format("{} has {} numbers; it must have {}", name, found->second.size(), size));
  return &found->second;
}

}  // namespace sobolev::detail
