// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/io/safetensors.hpp"
#include "sobolev/operators/operator_model.hpp"

namespace sobolev::detail {

/// What a file holds of a model; other tensors may stand beside it.
TensorFile model_tensors(const OperatorModel& model);
/// FileError that names `path` and says what is wrong.
OperatorModel model_of(const TensorFile& file, const std::filesystem::path& path);

}  // namespace sobolev::detail
