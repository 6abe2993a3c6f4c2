// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "sobolev/io/report.hpp"

namespace sobolev::detail {

/// The figures of all unknowns, of their estimated errors and of the equations' residuals, as HTML; "" where
/// there are none.
std::string solution_figures(const Report& report);
std::string estimated_error_figures(const Report& report);
std::string residual_figures(const Report& report);

/// One <figure>; the caption is HTML.
std::string figure(const std::string& caption, const std::string& drawing);
/// Figures side by side where there is room for them: "two" or "three" in a row, two wide "curves", or
/// "compared": three, of which the last has a row of its own where there is no room.
std::string row_of(const std::string& how_many, const std::string& figures);

}  // namespace sobolev::detail
