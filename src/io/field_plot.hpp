// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "sobolev/io/report.hpp"

namespace sobolev::detail {

/// The figures of one unknown, as HTML.
std::string field_figures(const Report& report, const std::string& unknown);
/// One <figure>.
std::string figure(const std::string& caption, const std::string& drawing);

}  // namespace sobolev::detail
