// SPDX-License-Identifier: Apache-2.0
#include "window_trainer_impl.hpp"

namespace sobolev::detail {
template class WindowTrainer<float, Cpu>;
template class WindowTrainer<double, Cpu>;
}  // namespace sobolev::detail
