// SPDX-License-Identifier: Apache-2.0
// The simulated device's memory is an address space apart, and says so.
#include "kernels/simulated/memory.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "kernels/common/cuda.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using testing::HasSubstr;

__global__ void fill_kernel(View<float, 1> y, float value) {
  for (std::size_t i = threadIdx.x; i < y.size(); i += blockDim.x) y(i) = value;
}
/// Without the view's own checks.
__global__ void write_kernel(float* y, std::size_t i) { y[i] = 1; }

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

TEST(SimulatedMemory, IsNotANumberUntilWritten) {
  const Cuda cuda;
  const DeviceBuffer<float> buffer(cuda, 5);
  std::vector<float> host(5, 0);
  download<float, 1>(cuda, buffer.view(5), View<float, 1>(host.data(), 5));
  for (float x : host) EXPECT_TRUE(std::isnan(x));
}

TEST(SimulatedMemory, RunsWorkOnlyWhenAwaited) {
  const Cuda cuda;
  const DeviceBuffer<float> buffer(cuda, 5);
  std::vector<float> host(5, 3);
  upload<float, 1>(cuda, View<const float, 1>(host.data(), 5), buffer.view(5));
  host.assign(5, 9);  // too late to change what was copied
  launch<fill_kernel>(cuda, {1, 32}, buffer.view(2), 4.0f);
  const auto stream = static_cast<cudaStream_t>(cuda.stream());
  EXPECT_EQ(stream->added(), 2u);
  download<float, 1>(cuda, buffer.view(5), View<float, 1>(host.data(), 5));
  EXPECT_EQ(host, (std::vector<float>{4, 4, 3, 3, 3}));
}

TEST(SimulatedMemory, EventsOrderStreams) {
  const Cuda first, second;
  const DeviceBuffer<float> buffer(first, 4);
  cudaEvent_t filled = nullptr;
  ASSERT_EQ(cudaEventCreate(&filled), cudaSuccess);
  launch<fill_kernel>(first, {1, 32}, buffer.view(4), 1.0f);
  ASSERT_EQ(cudaEventRecord(filled, static_cast<cudaStream_t>(first.stream())), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(static_cast<cudaStream_t>(second.stream()), filled), cudaSuccess);
  launch<fill_kernel>(second, {1, 32}, buffer.view(2), 2.0f);
  std::vector<float> host(4);
  download<float, 1>(second, buffer.view(4), View<float, 1>(host.data(), 4));
  EXPECT_EQ(host, (std::vector<float>{2, 2, 1, 1}));
  ASSERT_EQ(cudaEventDestroy(filled), cudaSuccess);
}

TEST(SimulatedMemory, HostArraysAreNoArgumentsOfKernels) {
  const Cuda cuda;
  std::vector<float> host(3);
  EXPECT_THAT(message_of([&] {
                launch<fill_kernel>(cuda, {1, 32}, View<float, 1>(host.data(), 3), 1.0f);
              }),
              HasSubstr("kernel fill_kernel: the array that is argument 1 is no memory of the device"));
  EXPECT_THAT(message_of([&] {
                launch<write_kernel>(cuda, {1, 1}, host.data(), std::size_t(0));
              }),
              HasSubstr("kernel write_kernel: argument 1 is no memory of the device"));
}

TEST(SimulatedMemory, CopiesThatMistakeSidesOrSizesAreErrors) {
  const Cuda cuda;
  const DeviceBuffer<float> buffer(cuda, 4);
  std::vector<float> host(8);
  EXPECT_THROW((upload<float, 1>(cuda, View<const float, 1>(host.data(), 4), View<float, 1>(host.data(), 4))),
               DeviceError);
  EXPECT_THROW(
      (upload<float, 1>(cuda, View<const float, 1>(host.data(), 8), View<float, 1>(buffer.data(), 8))),
      DeviceError);
  EXPECT_THROW(
      (download<float, 1>(cuda, View<const float, 1>(buffer.data(), 4), View<float, 1>(buffer.data(), 4))),
      DeviceError);
}

TEST(SimulatedMemory, RunningOutNamesTheSize) {
  const Cuda cuda;
  const std::size_t before = simulated::memory_size();
  simulated::set_memory_size(std::size_t(1) << 20);
  const std::string free = std::to_string(cuda.free_memory());
  const std::string message = message_of([&] { DeviceBuffer<double> buffer(cuda, 200000); });
  const std::string overflow = message_of([&] { DeviceBuffer<double> buffer(cuda, std::size_t(1) << 62); });
  simulated::set_memory_size(before);
  EXPECT_THAT(message, HasSubstr("out of memory on cuda:0 (simulated device): 200000 elements of 8 bytes "
                                 "asked for, " +
                                 free + " bytes free"));
  EXPECT_THAT(overflow, HasSubstr("elements of 8 bytes asked for"));
}

TEST(SimulatedMemory, DevicesThatDoNotExistAreErrors) {
  EXPECT_THAT(message_of([] { Cuda(1); }), HasSubstr("cuda:1: no such device; there is one, cuda:0"));
  setenv("SOBOLEV_SIMULATED_DEVICES", "0", 1);
  EXPECT_EQ(Cuda::count(), 0);
  const std::string none = message_of([] { Cuda(0); });
  setenv("SOBOLEV_SIMULATED_DEVICES", "2", 1);
  EXPECT_EQ(Cuda(1).device(), 1);
  EXPECT_THAT(message_of([] { Cuda(-1); }), HasSubstr("there are 2, from cuda:0 to cuda:1"));
  unsetenv("SOBOLEV_SIMULATED_DEVICES");
  EXPECT_THAT(none, HasSubstr("this machine has no CUDA device; use the device cpu"));
}

class SimulatedMemoryDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(SimulatedMemoryDeathTest, TheHostCannotLookIntoIt) {
  const Cuda cuda;
  const DeviceBuffer<float> buffer(cuda, 16);
  launch<fill_kernel>(cuda, {1, 32}, buffer.view(16), 1.0f);
  cuda.synchronize();
  EXPECT_DEATH(
      {
        volatile float x = buffer.data()[2];
        (void)x;
      },
      "the host touched byte 8 of an allocation of 64 bytes of device memory");
}

TEST_F(SimulatedMemoryDeathTest, ItsEndsAreGuarded) {
  const Cuda cuda;
  const DeviceBuffer<float> buffer(cuda, 16);
  EXPECT_DEATH(
      {
        launch<write_kernel>(cuda, {1, 1}, buffer.data(), std::size_t(16));
        cuda.synchronize();
      },
      "kernel write_kernel, block .0, 0, 0., thread .0, 0, 0. touched byte 0 behind the end of an allocation "
      "of 64 bytes");
}

TEST_F(SimulatedMemoryDeathTest, WritingIntoTheLastFewBytesIsFoundWhenItIsFreed) {
  const Cuda cuda;
  EXPECT_DEATH(
      {
        const DeviceBuffer<float> buffer(cuda, 13);
        launch<write_kernel>(cuda, {1, 1}, buffer.data(), std::size_t(13));
        cuda.synchronize();
      },
      "wrote behind the end of an allocation of 52 bytes");
}

TEST_F(SimulatedMemoryDeathTest, FreedMemoryIsGone) {
  const Cuda cuda;
  EXPECT_DEATH(
      {
        float* p = nullptr;
        {
          const DeviceBuffer<float> buffer(cuda, 16);
          p = buffer.data();
        }
        volatile float x = p[0];
        (void)x;
      },
      "");
}
}  // namespace
}  // namespace sobolev
