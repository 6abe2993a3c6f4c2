// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/earlier_files.hpp"

#include <fmt/format.h>

#include "apps/sobolev/results.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"

namespace sobolev::app {
namespace {
constexpr const char* results[] = {result_name, history_name,       solution_name,   report_name,
                                   verify_name, verify_arrays_name, verify_page_name};
}  // namespace

void EarlierFiles::check_replaceable() const {
  for (const char* name : results) sobolev::check_replaceable(folder_ / name);
  sobolev::check_replaceable(folder_ / checkpoint_name);
}

void EarlierFiles::make_way_for_checkpoint() {
  if (gone_) return;
  for (const char* name : results) remove(name);
  gone_ = true;
}

void EarlierFiles::make_way_for_result() {
  if (gone_) return;
  for (const char* name : results) remove(name);
  if (!own_checkpoint_) remove(checkpoint_name);
  gone_ = true;
}

void EarlierFiles::remove(const char* name) const {
  std::error_code status;
  std::filesystem::remove(folder_ / name, status);
  if (status)
    throw FileError(fmt::format("cannot remove {}: {}", (folder_ / name).string(), status.message()));
}

}  // namespace sobolev::app
