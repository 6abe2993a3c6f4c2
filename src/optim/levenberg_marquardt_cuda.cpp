// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/cuda.hpp"
#include "src/optim/levenberg_marquardt.hpp"

namespace sobolev {
template class LevenbergMarquardt<float, Cuda>;
template class LevenbergMarquardt<double, Cuda>;
}  // namespace sobolev
