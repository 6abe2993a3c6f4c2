// SPDX-License-Identifier: Apache-2.0
#include "src/optim/levenberg_marquardt.hpp"

namespace sobolev {
template class LevenbergMarquardt<float>;
template class LevenbergMarquardt<double>;
}  // namespace sobolev
