// SPDX-License-Identifier: Apache-2.0
#include "kernels/simulated/cuda_runtime.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/simulated/memory.hpp"
#include "sobolev/core/error.hpp"

namespace simulated = sobolev::simulated;

namespace {
void require_device_memory(const char* what, const void* p, std::size_t bytes) {
  if (!simulated::on_device(p, bytes))
    throw sobolev::DeviceError(std::string(what) + ": " + std::to_string(bytes) + " bytes at " +
                               simulated::locate(p));
}
void require_host_memory(const char* what, const void* p) {
  if (simulated::on_device(p, 1))
    throw sobolev::DeviceError(std::string(what) + ": the host's side is " + simulated::locate(p));
}
}  // namespace

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
  }
  return "cudaErrorUnknown";
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
  }
  return "unknown error";
}

cudaError_t cudaGetLastError() { return cudaSuccess; }  // every call reports its own
cudaError_t cudaGetDeviceCount(int* count) {
  const char* text = std::getenv("SOBOLEV_SIMULATED_DEVICES");
  *count = text == nullptr ? 1 : std::atoi(text);
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int device) {
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) return error;
  return device >= 0 && device < count ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (const cudaError_t error = cudaSetDevice(device); error != cudaSuccess) return error;
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "simulated device");
  properties->totalGlobalMem = simulated::memory_size();
  properties->sharedMemPerBlockOptin = std::size_t(227) << 10;
  properties->multiProcessorCount = 4;
  properties->major = 9;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  if (simulated::any_recording()) return cudaErrorStreamCaptureUnsupported;
  *p = bytes == 0 ? nullptr : simulated::allocate(bytes);
  return bytes == 0 || *p != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFree(void* p) {
  if (p == nullptr) return cudaSuccess;
  if (simulated::any_recording()) return cudaErrorStreamCaptureUnsupported;
  simulated::run_all_streams();
  return simulated::release(p) ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = simulated::memory_free();
  *total = simulated::memory_size();
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (stream->recording() && kind != cudaMemcpyDeviceToDevice) return cudaErrorStreamCaptureUnsupported;
  if (kind == cudaMemcpyHostToDevice) {
    require_device_memory("a copy to the device", to, bytes);
    require_host_memory("a copy to the device", from);
    const auto* begin = static_cast<const std::byte*>(from);
    stream->add([to, staged = std::vector<std::byte>(begin, begin + bytes)] {
      std::memcpy(to, staged.data(), staged.size());
    });
    return cudaSuccess;
  }
  require_device_memory("a copy from the device", from, bytes);
  if (kind == cudaMemcpyDeviceToDevice)
    require_device_memory("a copy on the device", to, bytes);
  else
    require_host_memory("a copy from the device", to);
  stream->add([to, from, bytes] { std::memcpy(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost) stream->run_all();
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  require_device_memory("filling memory", p, bytes);
  stream->add([p, value, bytes] { std::memset(p, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new simulated::Stream();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  simulated::run_all_streams();
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->recording()) return cudaErrorStreamCaptureUnsupported;
  stream->run_all();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (event->stream != nullptr && event->stream != stream)
    stream->add([other = event->stream, position = event->position] { other->run(position); });
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new simulated::Event();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  simulated::run_all_streams();
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  stream->add([event] { event->time = std::chrono::steady_clock::now(); });
  event->stream = stream;
  event->position = stream->added();
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->stream != nullptr) event->stream->run(event->position);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream->recording()) return cudaErrorStreamCaptureUnsupported;
  stream->begin_recording();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!stream->recording()) return cudaErrorInvalidValue;
  *graph = new simulated::Graph(stream->end_recording());
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new simulated::Graph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  for (const auto& work : *graph) stream->add(work);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph;
  return cudaSuccess;
}
