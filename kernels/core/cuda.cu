// SPDX-License-Identifier: Apache-2.0
// A device, its stream and its memory.
#include <limits>

#include "kernels/common/cuda.hpp"
#include "kernels/core/cuda_libraries.hpp"
#include "sobolev/core/copy.hpp"
#include "sobolev/core/cuda.hpp"
#include "src/core/profile.hpp"

namespace sobolev {
namespace {
/// Makes a device the one that calls go to, which CUDA keeps per thread.
void select(int device) { cuda_check(cudaSetDevice(device), "choosing a device"); }
cudaStream_t stream_of(const Cuda& cuda) {
  select(cuda.device());
  return static_cast<cudaStream_t>(cuda.stream());
}
}  // namespace

void cuda_check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  const std::string text =
      std::string(what) + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")";
  if (status == cudaErrorMemoryAllocation) throw OutOfMemory(text);
  throw DeviceError(text);
}

struct Cuda::State {
  int device = 0;
  std::string name;
  int multiprocessors = 0;
  std::size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
  void* scalar = nullptr;

  bool owned = false;                     // the stream
  std::shared_ptr<void> library_handles;  // made by the first call of a library

  explicit State(int index) : device(index) {
    profile::detail::install_device_hooks();
    const int devices = count();
    if (index < 0 || index >= devices)
      throw DeviceError("cuda:" + std::to_string(index) + ": no such device; " +
                        (devices == 0   ? std::string("this machine has no CUDA device; use the device cpu")
                         : devices == 1 ? std::string("there is one, cuda:0")
                                        : "there are " + std::to_string(devices) +
                                              ", from cuda:0 to cuda:" + std::to_string(devices - 1)));
    select(index);
    cudaDeviceProp properties;
    cuda_check(cudaGetDeviceProperties(&properties, index), "asking for the device's properties");
    name = properties.name;
    multiprocessors = properties.multiProcessorCount;
    shared_bytes = properties.sharedMemPerBlockOptin;
    cuda_check(cudaMalloc(&scalar, 64), "allocating device memory");
  }
  void make_stream() {
    cuda_check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    owned = true;
  }
  ~State() {
    library_handles.reset();
    if (owned) cudaStreamDestroy(stream);
    cudaFree(scalar);
  }
  State(const State&) = delete;
};

Cuda::Cuda(int device) : state_(std::make_shared<State>(device)) { state_->make_stream(); }
Cuda::Cuda(int device, void* stream) : state_(std::make_shared<State>(device)) {
  state_->stream = static_cast<cudaStream_t>(stream);
}

int Cuda::count() {
  int n = 0;
  return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
}
int Cuda::device() const { return state_->device; }
const std::string& Cuda::name() const { return state_->name; }
int Cuda::multiprocessors() const { return state_->multiprocessors; }
std::size_t Cuda::shared_bytes() const { return state_->shared_bytes; }
void* Cuda::stream() const { return state_->stream; }
void* Cuda::scalar() const { return state_->scalar; }
std::size_t Cuda::free_memory() const {
  select(device());
  std::size_t free = 0, total = 0;
  cuda_check(cudaMemGetInfo(&free, &total), "asking for the free memory");
  return free;
}
void Cuda::synchronize() const {
  cuda_check(cudaStreamSynchronize(stream_of(*this)), "waiting for the device");
}

Cuda Cuda::with(Products products) const {
  Cuda other = *this;
  other.products_ = products;
  return other;
}

Cuda Cuda::with(Engine engine) const {
  if (engine == Engine::library) detail::require_libraries();
  Cuda other = *this;
  other.engine_ = engine;
  return other;
}
std::shared_ptr<void>& detail::library_handles(const Cuda& cuda) { return cuda.state_->library_handles; }

struct CudaGraph::State {
  Cuda cuda;
  cudaGraphExec_t graph = nullptr;
  explicit State(const Cuda& c) : cuda(c) {}
  ~State() {
    if (graph != nullptr) cudaGraphExecDestroy(graph);
  }
  State(const State&) = delete;
};

CudaGraph::CudaGraph(const Cuda& cuda) : state_(std::make_unique<State>(cuda)) {
  cuda_check(cudaStreamBeginCapture(stream_of(cuda), cudaStreamCaptureModeThreadLocal), "recording a graph");
}
CudaGraph::CudaGraph(CudaGraph&&) noexcept = default;
CudaGraph& CudaGraph::operator=(CudaGraph&&) noexcept = default;
CudaGraph::~CudaGraph() = default;
void CudaGraph::finish() {
  cudaGraph_t recorded = nullptr;
  cuda_check(cudaStreamEndCapture(stream_of(state_->cuda), &recorded), "recording a graph");
  const cudaError_t status = cudaGraphInstantiate(&state_->graph, recorded, 0);
  cudaGraphDestroy(recorded);
  cuda_check(status, "preparing a graph");
}
void CudaGraph::abandon() noexcept {
  cudaGraph_t recorded = nullptr;
  if (cudaStreamEndCapture(static_cast<cudaStream_t>(state_->cuda.stream()), &recorded) == cudaSuccess)
    cudaGraphDestroy(recorded);
  (void)cudaGetLastError();
}
void CudaGraph::launch() const {
  cuda_check(cudaGraphLaunch(state_->graph, stream_of(state_->cuda)), "launch of a graph");
}

namespace detail {
void* device_allocate(const Cuda& cuda, std::size_t count, std::size_t element) {
  if (count == 0) return nullptr;
  select(cuda.device());
  void* p = nullptr;
  const bool representable = count <= std::numeric_limits<std::size_t>::max() / element;
  const cudaError_t status = representable ? cudaMalloc(&p, count * element) : cudaErrorMemoryAllocation;
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();  // it would be reported by the next launch too
    throw OutOfMemory("out of memory on cuda:" + std::to_string(cuda.device()) + " (" + cuda.name() +
                      "): " + std::to_string(count) + " elements of " + std::to_string(element) +
                      " bytes asked for, " + std::to_string(cuda.free_memory()) +
                      " bytes free; use fewer points or a smaller network");
  }
  cuda_check(status, "allocating device memory");
  return p;
}
void device_release(const Cuda& cuda, void* p) noexcept {
  if (p == nullptr) return;
  cudaSetDevice(cuda.device());
  cudaFree(p);
}
void device_upload(const Cuda& cuda, const void* host, void* device, std::size_t bytes) {
  cuda_check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_of(cuda)),
             "copying to the device");
}
void device_download(const Cuda& cuda, const void* device, void* host, std::size_t bytes) {
  cuda_check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_of(cuda)),
             "copying from the device");
  cuda.synchronize();
}
void device_copy(const Cuda& cuda, const void* from, void* to, std::size_t bytes) {
  cuda_check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(cuda)),
             "copying on the device");
}
void device_clear(const Cuda& cuda, void* p, std::size_t bytes) {
  cuda_check(cudaMemsetAsync(p, 0, bytes, stream_of(cuda)), "clearing device memory");
}
}  // namespace detail
}  // namespace sobolev
