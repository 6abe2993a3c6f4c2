// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/operators/operator_model.hpp"
#include "src/io/toml_reader.hpp"

namespace sobolev::detail {

/// Reads the table [physics], which has no other keys than it may have, into file.physics, once the outputs
/// are known. ParseError with its place.
void read_physics(const TomlReader& reader, const TomlEntry& table, OperatorFile& file);

}  // namespace sobolev::detail
