// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <mutex>

namespace sobolev::detail {

/// FFTW's planner is not thread safe: held while a plan is made or destroyed.
std::mutex& fftw_planner();

}  // namespace sobolev::detail
