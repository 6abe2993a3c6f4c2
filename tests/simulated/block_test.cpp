// SPDX-License-Identifier: Apache-2.0
// The simulated device runs right kernels right whatever the schedule, and catches wrong ones.
#include "kernels/simulated/block.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>

#include "kernels/common/cuda.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using testing::HasSubstr;

/// Runs under every schedule, and puts back the one that was set.
template <class F>
void for_schedules(F&& f) {
  const std::uint64_t before = simulated::schedule();
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    simulated::set_schedule(seed);
    f(seed);
  }
  simulated::set_schedule(before);
}

struct Device {
  Cuda cuda;
  template <class T>
  std::vector<T> get(const DeviceBuffer<T>& from) const {
    std::vector<T> to(from.size());
    download<T, 1>(cuda, from.view(from.size()), View<T, 1>(to.data(), to.size()));
    return to;
  }
  template <class T>
  DeviceBuffer<T> put(const std::vector<T>& from) const {
    DeviceBuffer<T> to(cuda, from.size());
    upload<T, 1>(cuda, View<const T, 1>(from.data(), from.size()), to.view(from.size()));
    return to;
  }
  /// The message of the DeviceError that waiting for the device throws.
  std::string failure() const {
    try {
      cuda.synchronize();
    } catch (const DeviceError& e) {
      return e.what();
    }
    return "none";
  }
};

// ---- barriers and shared memory ------------------------------------------------------------------------

/// y[b·T + i] = Σ_j x[b·T + j] over the block, by a tree in shared memory.
__global__ void block_sum_kernel(View<const double, 1> x, View<double, 1> y) {
  SOBOLEV_SHARED(double, sum, 256);
  const unsigned t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  sum[t] = x(i);
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    __syncthreads();
    if (t < half) sum[t] += sum[t + half];
  }
  __syncthreads();
  y(i) = sum[0];
}

TEST(SimulatedBlock, AddsABlockInSharedMemory) {
  const Device device;
  std::vector<double> x(4 * 256);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = double(i % 97) - 30;
  const auto in = device.put(x);
  for_schedules([&](std::uint64_t seed) {
    DeviceBuffer<double> out(device.cuda, x.size());
    launch<block_sum_kernel>(device.cuda, {4, 256}, View<const double, 1>(in.view(x.size())),
                             out.view(x.size()));
    const std::vector<double> y = device.get(out);
    for (std::size_t b = 0; b < 4; ++b) {
      double want = 0;
      for (std::size_t i = 0; i < 256; ++i) want += x[b * 256 + i];
      for (std::size_t i = 0; i < 256; ++i) ASSERT_EQ(y[b * 256 + i], want) << "schedule " << seed;
    }
  });
}

/// Each thread reads what its neighbour wrote. Without the barrier that is a race.
template <int neighbour, bool with_barrier>
__global__ void neighbour_kernel(View<double, 1> y) {
  double* written = dynamic_shared<double>();
  const unsigned n = blockDim.x, t = threadIdx.x;
  written[t] = double(t);
  if constexpr (with_barrier) __syncthreads();
  y(t) = written[(t + n + unsigned(neighbour)) % n];
}

template <int neighbour, bool with_barrier>
int schedules_that_fail(unsigned threads) {
  int failures = 0;
  for_schedules([&](std::uint64_t) {
    const Device device;
    DeviceBuffer<double> out(device.cuda, threads);
    launch<neighbour_kernel<neighbour, with_barrier>>(device.cuda, {1, threads, threads * sizeof(double)},
                                                      out.view(threads));
    const std::vector<double> y = device.get(out);
    bool right = true;
    for (unsigned t = 0; t < threads; ++t)
      right = right && y[t] == double((t + threads + unsigned(neighbour)) % threads);
    failures += !right;
  });
  return failures;
}

TEST(SimulatedBlock, AMissingBarrierShows) {
  EXPECT_EQ((schedules_that_fail<1, true>(96)), 0);
  EXPECT_EQ((schedules_that_fail<-1, true>(96)), 0);
  EXPECT_EQ((schedules_that_fail<1, false>(96)), 8);
  EXPECT_EQ((schedules_that_fail<-1, false>(96)), 8);
}

/// Right in the order of the threads: only thread 0 writes what the others read.
__global__ void leader_kernel(View<double, 1> y) {
  SOBOLEV_SHARED(double, value, 1);
  if (threadIdx.x == 0) value[0] = 7;
  y(threadIdx.x) = value[0];
}

TEST(SimulatedBlock, AMissingBarrierThatTheNaturalOrderHidesShowsInOthers) {
  int failures = 0;
  for_schedules([&](std::uint64_t) {
    const Device device;
    DeviceBuffer<double> out(device.cuda, 64);
    launch<leader_kernel>(device.cuda, {1, 64}, out.view(64));
    const std::vector<double> y = device.get(out);
    failures += std::count(y.begin(), y.end(), 7.0) != 64;
  });
  EXPECT_EQ(failures, 7);
}

__global__ void divergent_barrier_kernel() {
  if (threadIdx.x < 40)
    __syncthreads();
  else
    __syncthreads();
}
__global__ void early_end_kernel() {
  if (threadIdx.x == 3 && threadIdx.y == 0) return;
  __syncthreads();
}

TEST(SimulatedBlock, ThreadsThatMeetDifferentBarriersAreAnError) {
  const Device device;
  launch<divergent_barrier_kernel>(device.cuda, {1, 64});
  const std::string message = device.failure();
  EXPECT_THAT(message, HasSubstr("kernel divergent_barrier_kernel, block (0, 0, 0)"));
  EXPECT_THAT(message, HasSubstr("40 threads wait at __syncthreads in"));
  EXPECT_THAT(message, HasSubstr("24 threads wait at __syncthreads in"));
  EXPECT_THAT(message, HasSubstr("(the first is (40, 0, 0))"));
}

TEST(SimulatedBlock, ABarrierThatAThreadNeverReachesIsAnError) {
  const Device device;
  launch<early_end_kernel>(device.cuda, {2, {8, 4}});
  const std::string message = device.failure();
  EXPECT_THAT(message, HasSubstr("kernel early_end_kernel, block (0, 0, 0)"));
  EXPECT_THAT(message, HasSubstr("31 threads wait at __syncthreads"));
  EXPECT_THAT(message, HasSubstr("1 thread ended (the first is (3, 0, 0))"));
  // The stream stays broken, other devices of the process do not.
  EXPECT_THROW(device.cuda.synchronize(), DeviceError);
  EXPECT_NO_THROW(Cuda().synchronize());
}

__global__ void votes_kernel(View<int, 1> y) {
  const int t = int(threadIdx.x);
  const int count = __syncthreads_count(t % 3 == 0), any = __syncthreads_or(t == 50),
            all = __syncthreads_and(t < 99);
  if (t == 77) {
    y(0) = count;
    y(1) = any;
    y(2) = all;
  }
}

TEST(SimulatedBlock, BarriersCountVotes) {
  const Device device;
  const DeviceBuffer<int> out(device.cuda, 3);
  launch<votes_kernel>(device.cuda, {1, 99}, out.view(3));
  EXPECT_EQ(device.get(out), (std::vector<int>{33, 1, 1}));
}

__global__ void shared_index_kernel(int index) {
  SOBOLEV_SHARED(float, values, 8);
  values[index] = 1;
}
__global__ void shared_end_kernel(std::size_t index) { dynamic_shared<float>()[index] = 1; }
__global__ void shared_leftover_kernel(View<double, 1> y) {
  SOBOLEV_SHARED(double, values, 1);
  y(blockIdx.x) = values[0] + dynamic_shared<double>()[1];
  values[0] = dynamic_shared<double>()[1] = 1;
}

TEST(SimulatedBlock, IndicesOfSharedArraysAreChecked) {
  for (int index : {-1, 8}) {
    const Device device;
    launch<shared_index_kernel>(device.cuda, {1, 1}, index);
    EXPECT_THAT(device.failure(),
                HasSubstr("kernel shared_index_kernel, block (0, 0, 0), thread (0, 0, 0): index " +
                          std::to_string(index) + " of a shared array of 8"));
  }
}

TEST(SimulatedBlockDeathTest, TheEndOfDynamicSharedMemoryIsGuarded) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const Device device;
        launch<shared_end_kernel>(device.cuda, {1, 32, 64}, std::size_t(16));
        device.cuda.synchronize();
      },
      "kernel shared_end_kernel, block .0, 0, 0., thread .0, 0, 0. touched");
}

TEST(SimulatedBlock, SharedMemoryHoldsNothingOfTheBlockBefore) {
  const Device device;
  const DeviceBuffer<double> out(device.cuda, 50);
  launch<shared_leftover_kernel>(device.cuda, {50, 1, 16}, out.view(50));
  for (double y : device.get(out)) EXPECT_TRUE(std::isnan(y));
}

/// Warp 0 produces what warp 1 consumes, by two named barriers.
__global__ void producer_kernel(View<int, 1> y) {
  SOBOLEV_SHARED(int, slot, 32);
  const unsigned lane = threadIdx.x % 32;
  for (int round = 0; round < 5; ++round) {
    if (threadIdx.x < 32) {
      slot[lane] = round * 100 + int(lane);
      named_barrier(1, 64);
      named_barrier(2, 64);
    } else {
      named_barrier(1, 64);
      y(std::size_t(round) * 32 + lane) = slot[31 - lane];
      named_barrier(2, 64);
    }
  }
}

TEST(SimulatedBlock, NamedBarriersPairWarps) {
  const Device device;
  for_schedules([&](std::uint64_t) {
    const DeviceBuffer<int> out(device.cuda, 160);
    launch<producer_kernel>(device.cuda, {1, 64}, out.view(160));
    const std::vector<int> y = device.get(out);
    for (int i = 0; i < 160; ++i) ASSERT_EQ(y[std::size_t(i)], i / 32 * 100 + 31 - i % 32);
  });
}

// ---- warps ---------------------------------------------------------------------------------------------

__global__ void warp_kernel(View<double, 1> y) {
  const unsigned n = blockDim.x, t = threadIdx.x;
  double sum = double(t);
  for (int bit = 16; bit > 0; bit /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, bit);
  y(t) = sum;
  y(n + t) = __shfl_down_sync(0xffffffffu, double(t), 3u);
  y(2 * n + t) = __shfl_up_sync(0xffffffffu, double(t), 5u, 8);
  y(3 * n + t) = __shfl_sync(0xffffffffu, double(t), 2, 4);
  y(4 * n + t) = __ballot_sync(0xffffffffu, t % 2);
  y(5 * n + t) = __any_sync(0xffffffffu, t == 40) + 2 * __all_sync(0xffffffffu, t >= 32);
}

TEST(SimulatedBlock, ShufflesAndVotesFollowCuda) {
  const Device device;
  for_schedules([&](std::uint64_t) {
    const unsigned n = 64;
    const DeviceBuffer<double> out(device.cuda, 6 * n);
    launch<warp_kernel>(device.cuda, {1, n}, out.view(6 * n));
    const std::vector<double> y = device.get(out);
    for (unsigned t = 0; t < n; ++t) {
      ASSERT_EQ(y[t], t < 32 ? 496 : 496 + 32 * 32);
      ASSERT_EQ(y[n + t], t % 32 < 29 ? t + 3 : t);
      ASSERT_EQ(y[2 * n + t], t % 8 >= 5 ? t - 5 : t);
      ASSERT_EQ(y[3 * n + t], t / 4 * 4 + 2);
      ASSERT_EQ(y[4 * n + t], double(0xaaaaaaaau));
      ASSERT_EQ(y[5 * n + t], t < 32 ? 0 : 3);
    }
  });
}

__global__ void half_warps_kernel(View<double, 1> y) {
  const unsigned t = threadIdx.x;
  const unsigned mask = t < 16 ? 0x0000ffffu : 0xffff0000u;
  double sum = double(t);
  if (t < 16)
    for (int bit = 8; bit > 0; bit /= 2) sum += __shfl_xor_sync(mask, sum, bit);
  else
    for (int bit = 8; bit > 0; bit /= 2) sum += __shfl_xor_sync(mask, sum, bit);
  y(t) = sum;
}
__global__ void divergent_shuffle_kernel() {
  if (threadIdx.x % 2 == 0)
    __shfl_sync(0xffffffffu, 1.0, 0);
  else
    __syncwarp();
}
__global__ void foreign_lane_kernel() {
  if (threadIdx.x < 16) __shfl_sync(0x0000ffffu, 1.0, 20);
}
__global__ void ended_lane_kernel() {
  if (threadIdx.x < 16) __syncwarp();
}

TEST(SimulatedBlock, PartsOfAWarpMayGoTheirOwnWays) {
  const Device device;
  for_schedules([&](std::uint64_t) {
    const DeviceBuffer<double> out(device.cuda, 32);
    launch<half_warps_kernel>(device.cuda, {1, 32}, out.view(32));
    const std::vector<double> y = device.get(out);
    for (std::size_t t = 0; t < 32; ++t) ASSERT_EQ(y[t], t < 16 ? 120 : 376);
  });
}

TEST(SimulatedBlock, LanesThatMissAShuffleAreAnError) {
  for_schedules([&](std::uint64_t) {
    const Device divergent, foreign, ended;
    launch<divergent_shuffle_kernel>(divergent.cuda, {1, 32});
    const std::string message = divergent.failure();
    EXPECT_THAT(message, HasSubstr("kernel divergent_shuffle_kernel"));
    EXPECT_THAT(message, HasSubstr("16 threads wait at __shfl_sync"));
    EXPECT_THAT(message, HasSubstr("16 threads wait at __syncwarp"));
    launch<foreign_lane_kernel>(foreign.cuda, {1, 32});
    EXPECT_THAT(foreign.failure(), HasSubstr("__shfl_sync from lane 20, which is not in its mask"));
    launch<ended_lane_kernel>(ended.cuda, {1, 32});
    EXPECT_THAT(ended.failure(), HasSubstr("but thread 16 of the warp has ended"));
  });
}

// ---- grids ---------------------------------------------------------------------------------------------

__global__ void atomics_kernel(View<int, 1> counts, View<double, 1> sum) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&counts(std::size_t(i % 3)), 1);
  atomicMax(&counts(3), i);
  atomicAdd(&sum(0), 0.5);
}

TEST(SimulatedBlock, AtomicsLoseNothing) {
  const Device device;
  const auto counts = device.put(std::vector<int>(4, 0));
  const auto sum = device.put(std::vector<double>{0});
  launch<atomics_kernel>(device.cuda, {30, 100}, counts.view(4), sum.view(1));
  EXPECT_EQ(device.get(counts), (std::vector<int>{1000, 1000, 1000, 2999}));
  EXPECT_EQ(device.get(sum)[0], 1500);
}

__global__ void coordinates_kernel(View<unsigned, 1> y) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned i = block * blockDim.x * blockDim.y * blockDim.z + thread;
  y(i) = i;
}

TEST(SimulatedBlock, IndicesCoverTheGrid) {
  const Device device;
  const std::size_t n = 2 * 3 * 4 * 5 * 2 * 3;
  const DeviceBuffer<unsigned> out(device.cuda, n);
  launch<coordinates_kernel>(device.cuda, {{2, 3, 4}, {5, 2, 3}}, out.view(n));
  const std::vector<unsigned> y = device.get(out);
  for (unsigned i = 0; i < n; ++i) ASSERT_EQ(y[i], i);
}

TEST(SimulatedBlock, ImpossibleLaunchesAreErrors) {
  const LaunchShape shapes[] = {{1, 1025}, {0, 32}, {1, 32, 300000}, {1, {1, 1, 65}}};
  for (const LaunchShape& shape : shapes) {
    const Device device;
    launch<early_end_kernel>(device.cuda, shape);
    EXPECT_THAT(device.failure(), HasSubstr("kernel early_end_kernel: grid ("));
  }
}

__global__ void barriers_kernel(View<double, 1> y) {
  double value = double(threadIdx.x);
  for (int i = 0; i < 16; ++i) {
    value = value * 1.5 + 1;
    __syncthreads();
  }
  y(threadIdx.x) = value;
}

TEST(SimulatedBlock, ABlockOf256ThreadsAnd16BarriersTakesLessThanAMillisecond) {
#if defined(__SANITIZE_ADDRESS__) || !defined(NDEBUG)
  GTEST_SKIP() << "a build for other purposes";
#endif
  const Device device;
  const DeviceBuffer<double> out(device.cuda, 256);
  double best = 1;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    launch<barriers_kernel>(device.cuda, {1, 256}, out.view(256));
    device.cuda.synchronize();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  EXPECT_LT(best, 1e-3);
}
}  // namespace
}  // namespace sobolev
