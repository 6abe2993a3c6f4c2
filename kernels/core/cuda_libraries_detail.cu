// SPDX-License-Identifier: Apache-2.0
#include "kernels/common/cuda.hpp"
#include "kernels/core/cuda_libraries.hpp"
#include "kernels/core/cuda_libraries_detail.hpp"
#if !SOBOLEV_CUDA_SIMULATED
#include <dlfcn.h>
#endif

namespace sobolev::detail {
#if SOBOLEV_CUDA_SIMULATED
bool libraries_loaded() { return false; }
void require_libraries() {
  throw DeviceError("Engine::library: a simulated device has no libraries; use Engine::native");
}
#else
namespace {
#define SOBOLEV_TEXT(x) #x
#define SOBOLEV_VERSIONED(name, version) "lib" name ".so." SOBOLEV_TEXT(version)
constexpr std::size_t workspace_bytes = std::size_t(32) << 20;  // what cuBLAS asks for on Hopper

/// The library where the loader finds it, or in the toolkit that this was built with.
void* open(const char* file, std::string& error) {
  for (const std::string& path : {std::string(file), std::string(SOBOLEV_CUDA_LIBRARY_DIR "/") + file})
    if (void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  const char* why = dlerror();
  error = why != nullptr ? why : file;
  return nullptr;
}

struct Loaded {
  CudaLibraries calls{};
  std::string error;  // empty when all is there

  Loaded() {
    void* blas = open(SOBOLEV_VERSIONED("cublas", CUBLAS_VER_MAJOR), error);
    if (blas == nullptr) return;
    void* solver = open(SOBOLEV_VERSIONED("cusolver", CUSOLVER_VER_MAJOR), error);
    if (solver == nullptr) return;
#define SOBOLEV_CALL_OF(library, name)                                                     \
  calls.name = reinterpret_cast<decltype(calls.name)>(dlsym(library, SOBOLEV_TEXT(name))); \
  if (calls.name == nullptr) error = "no " SOBOLEV_TEXT(name);
    SOBOLEV_CUBLAS_CALLS(SOBOLEV_CALL_OF, blas)
    SOBOLEV_CUSOLVER_CALLS(SOBOLEV_CALL_OF, solver)
#undef SOBOLEV_CALL_OF
  }
};
const Loaded& loaded() {
  static const Loaded once;
  return once;
}
}  // namespace

bool libraries_loaded() { return loaded().error.empty(); }
void require_libraries() {
  if (!libraries_loaded())
    throw DeviceError("Engine::library: cuBLAS and cuSOLVER cannot be loaded (" + loaded().error +
                      "); install those of CUDA " + std::to_string(CUDART_VERSION / 1000) +
                      ", set LD_LIBRARY_PATH, or use Engine::native");
}

void library_check(int status, const char* what) {
  if (status != 0)
    throw DeviceError(std::string(what) + " failed with status " + std::to_string(status) +
                      " of the library");
}

LibraryHandles::LibraryHandles() : calls(loaded().calls) {}
LibraryHandles::LibraryHandles(const Cuda& cuda) : LibraryHandles() {
  require_libraries();
  const auto stream = static_cast<cudaStream_t>(cuda.stream());
  library_check(calls.cublasCreate_v2(&blas), "cublasCreate");
  library_check(calls.cusolverDnCreate(&solver), "cusolverDnCreate");
  cuda_check(cudaMalloc(&workspace, workspace_bytes), "memory for cuBLAS");
  library_check(calls.cublasSetStream_v2(blas, stream), "cublasSetStream");
  // Its own, so that calls can be recorded in a graph and give the same bits each time.
  library_check(calls.cublasSetWorkspace_v2(blas, workspace, workspace_bytes), "cublasSetWorkspace");
  library_check(calls.cusolverDnSetStream(solver, stream), "cusolverDnSetStream");
}
LibraryHandles::~LibraryHandles() {
  if (solver != nullptr) calls.cusolverDnDestroy(solver);
  if (blas != nullptr) calls.cublasDestroy_v2(blas);
  cudaFree(workspace);
}

const LibraryHandles& library(const Cuda& cuda) {
  std::shared_ptr<void>& handles = library_handles(cuda);
  if (handles == nullptr) {
    cuda_check(cudaSetDevice(cuda.device()), "choosing a device");
    handles = std::make_shared<LibraryHandles>(cuda);
  }
  return *static_cast<const LibraryHandles*>(handles.get());
}
#endif
}  // namespace sobolev::detail
