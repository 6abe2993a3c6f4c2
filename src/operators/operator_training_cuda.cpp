// SPDX-License-Identifier: Apache-2.0
// Trainings of operators on a device.
#include "src/operators/operator_run.hpp"

namespace sobolev {

OperatorTraining train_operator(const Cuda& device, const OperatorFile& file,
                                const OperatorTrainingOptions& options) {
  detail::OperatorState state;
  state.file = file;
  return detail::run_operator(device, std::move(state), options, false);
}
OperatorTraining resume_operator(const Cuda& device, const std::filesystem::path& checkpoint,
                                 const OperatorTrainingOptions& options) {
  return detail::run_operator(device, detail::OperatorState::load(checkpoint), options, true);
}

}  // namespace sobolev
