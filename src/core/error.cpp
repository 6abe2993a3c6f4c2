// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/error.hpp"

#include <fmt/format.h>

namespace sobolev {
namespace {
std::string located(const SourcePosition& p, const std::string& message) {
  std::string where = p.file.empty() ? "<text>" : p.file;
  if (p.line > 0) where += fmt::format(":{}:{}", p.line, p.column);
  return where + ": " + message;
}
}  // namespace

ParseError::ParseError(SourcePosition position, const std::string& message)
    : Error(located(position, message)), position_(std::move(position)), message_(message) {}

void ensure(bool condition, const char* what, const char* file, int line) {
  if (!condition) throw Error(fmt::format("internal error: {} ({}:{})", what, file, line));
}

}  // namespace sobolev
