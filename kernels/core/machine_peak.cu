// SPDX-License-Identifier: Apache-2.0
// Independent fused multiply-adds on registers by all multiprocessors: 2 FLOPs each, no memory.
// Eight blocks of 256 threads per multiprocessor, 16 accumulators a thread: more than hides the latency.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "sobolev/core/machine_peak.hpp"

namespace sobolev {
namespace {
constexpr int accumulators = 16;
constexpr unsigned block_threads = 256, blocks_per_multiprocessor = 8;

template <class T>
__global__ void __launch_bounds__(256) fma_kernel(long rounds, T x, T y, T* sink) {
  T sum[accumulators];
#pragma unroll
  for (int i = 0; i < accumulators; ++i) sum[i] = T(i) * T(0.1) + T(threadIdx.x);
#pragma unroll 1
  for (long r = 0; r < rounds; ++r)
#pragma unroll
    for (int i = 0; i < accumulators; ++i) sum[i] = sum[i] * x + y;
  T total = T(0);
#pragma unroll
  for (int i = 0; i < accumulators; ++i) total += sum[i];
  if (total == T(-1)) *sink = total;  // never, but the compiler does not know
}

class Event {
 public:
  Event() { cuda_check(cudaEventCreate(&event_), "making an event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_;
};
}  // namespace

template <class T>
double machine_peak(const Cuda& cuda, double seconds) {
  constexpr int repeats = 8;
  const auto stream = static_cast<cudaStream_t>(cuda.stream());
  const unsigned blocks = blocks_per_multiprocessor * unsigned(cuda.multiprocessors());
  const Event begin, end;
  double best = 0;
  int timed = 0;
  for (long rounds = 16; timed < repeats;) {
    cuda_check(cudaEventRecord(begin.get(), stream), "timing");
    launch<fma_kernel<T>>(cuda, {blocks, block_threads}, rounds, T(0.999), T(1e-3),
                          static_cast<T*>(cuda.scalar()));
    cuda_check(cudaEventRecord(end.get(), stream), "timing");
    cuda.synchronize();
    float milliseconds = 0;
    cuda_check(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()), "timing");
    if (1e-3 * double(milliseconds) < seconds / repeats / 2 && rounds < (1l << 40)) {
      rounds *= 2;  // still too short to time
      continue;
    }
    ++timed;
    best = std::max(
        best, 2.0 * accumulators * double(rounds) * blocks * block_threads / (1e-3 * double(milliseconds)));
  }
  return best;
}
template double machine_peak<float>(const Cuda&, double);
template double machine_peak<double>(const Cuda&, double);
}  // namespace sobolev
