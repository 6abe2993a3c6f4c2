// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace sobolev::detail {

/// Rows first … last − 1 that were written, in order and apart from each other.
class WrittenRows {
 public:
  void add(std::size_t first, std::size_t last) {
    auto at = parts_.upper_bound(first);
    if (at != parts_.begin() && std::prev(at)->second >= first) {
      --at;
      first = at->first;
    }
    while (at != parts_.end() && at->first <= last) {
      last = std::max(last, at->second);
      at = parts_.erase(at);
    }
    parts_[first] = last;
  }
  /// What is missing of `count` rows.
  std::vector<std::pair<std::size_t, std::size_t>> gaps(std::size_t count) const {
    std::vector<std::pair<std::size_t, std::size_t>> found;
    std::size_t end = 0;
    for (const auto& [first, last] : parts_) {
      if (first > end) found.emplace_back(end, first);
      end = last;
    }
    if (end < count) found.emplace_back(end, count);
    return found;
  }

 private:
  std::map<std::size_t, std::size_t> parts_;
};

}  // namespace sobolev::detail
