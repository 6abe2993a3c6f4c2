// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/version.hpp"

namespace sobolev {

std::string version() { return SOBOLEV_VERSION; }

}  // namespace sobolev
