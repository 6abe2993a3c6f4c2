// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/cuda.hpp"
#include "window_trainer_impl.hpp"

namespace sobolev::detail {
template class WindowTrainer<float, Cuda>;
template class WindowTrainer<double, Cuda>;
}  // namespace sobolev::detail
