// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace sobolev {

/// Of the library in use: "0.1.0".
std::string version();

}  // namespace sobolev
