// SPDX-License-Identifier: Apache-2.0
#pragma once
// Words in messages.
#include <string>
#include <string_view>
#include <vector>

namespace sobolev {

/// The candidate nearest to `name` in edit distance, or "" when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);
/// "; did you mean x?" or "".
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);
/// "a, b or c".
std::string word_list(const std::vector<std::string>& words);

}  // namespace sobolev
