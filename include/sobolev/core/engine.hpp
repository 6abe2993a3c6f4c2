// SPDX-License-Identifier: Apache-2.0
#pragma once
namespace sobolev {

/// Who does on a device what its libraries do as well (gemm, syrk, cholesky: each contract says which):
///   native     a kernel of this library
///   library    cuBLAS or cuSOLVER, which are loaded when they are first asked for
///   automatic  the library for the sizes where a model says that it is faster, and where it can be loaded
/// On the CPU everything is native.
enum class Engine { automatic, native, library };

}  // namespace sobolev
