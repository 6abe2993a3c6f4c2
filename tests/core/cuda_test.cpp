// SPDX-License-Identifier: Apache-2.0
// Devices and their memory, real or simulated.
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
class CudaDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  }
};

TEST_F(CudaDevice, KnowsItself) {
  const Cuda cuda(0);
  EXPECT_EQ(cuda.device(), 0);
  EXPECT_FALSE(cuda.name().empty());
  EXPECT_GE(cuda.multiprocessors(), 1);
  EXPECT_GE(cuda.shared_bytes(), std::size_t(48) << 10);
  EXPECT_GT(cuda.free_memory(), std::size_t(1) << 20);
  EXPECT_THROW(Cuda{Cuda::count()}, DeviceError);
  EXPECT_THROW(Cuda{-1}, DeviceError);
}

TEST_F(CudaDevice, CopiesBringBackWhatTheyTook) {
  const Cuda cuda;
  for (std::size_t n : {0, 1, 31, 257, 100003}) {
    std::vector<double> from(n), to(n, -1);
    for (std::size_t i = 0; i < n; ++i) from[i] = double(i) * 0.25;
    const DeviceBuffer<double> buffer(cuda, n);
    upload<double, 1>(cuda, View<const double, 1>(from.data(), n), buffer.view(n));
    download<double, 1>(cuda, buffer.view(n), View<double, 1>(to.data(), n));
    EXPECT_EQ(from, to);
    clear<double, 1>(cuda, buffer.view(n));
    download<double, 1>(cuda, buffer.view(n), View<double, 1>(to.data(), n));
    EXPECT_EQ(to, std::vector<double>(n, 0));
  }
}

TEST_F(CudaDevice, CopiesOfAnExecutorShareItsStream) {
  const Cuda cuda;
  const Cuda same = cuda, other;
  EXPECT_EQ(cuda.stream(), same.stream());
  EXPECT_NE(cuda.stream(), other.stream());
  cuda.synchronize();
}

TEST_F(CudaDevice, AdoptsAStream) {
  const Cuda owner;
  std::vector<double> from(1000, 2.5), to(1000, 0);
  {
    const Cuda guest(owner.device(), owner.stream());
    EXPECT_EQ(guest.stream(), owner.stream());
    const DeviceBuffer<double> buffer(guest, from.size());
    upload<double, 1>(guest, View<const double, 1>(from.data(), from.size()), buffer.view(from.size()));
    // In the order of the stream, though another executor gave it.
    download<double, 1>(owner, buffer.view(from.size()), View<double, 1>(to.data(), to.size()));
    EXPECT_EQ(from, to);
  }
  owner.synchronize();  // the stream is still there
}

TEST_F(CudaDevice, BuffersMove) {
  const Cuda cuda;
  DeviceBuffer<float> a(cuda, 4), b(cuda, 7);
  float* const p = a.data();
  DeviceBuffer<float> c(std::move(a));
  EXPECT_EQ(c.data(), p);
  EXPECT_EQ(a.size(), 0u);  // NOLINT(bugprone-use-after-move)
  b = std::move(c);
  EXPECT_EQ(b.data(), p);
  EXPECT_EQ(b.size(), 4u);
  EXPECT_THROW(b.view(2, 3), ArgumentError);
}

TEST_F(CudaDevice, ShapesOfCopiesMustAgree) {
  const Cuda cuda;
  std::vector<float> host(6);
  const DeviceBuffer<float> buffer(cuda, 6);
  EXPECT_THROW((upload<float, 2>(cuda, View<const float, 2>(host.data(), 2, 3), buffer.view(3, 2))),
               ArgumentError);
  EXPECT_THROW((download<float, 2>(cuda, buffer.view(3, 2), View<float, 2>(host.data(), 2, 3))),
               ArgumentError);
}

TEST_F(CudaDevice, GraphsRefuseToWaitOrAllocate) {
  const Cuda cuda;
  const DeviceBuffer<double> one(cuda, 1);
  double host = 0;
  EXPECT_THROW(CudaGraph(cuda, [&] { cuda.synchronize(); }), DeviceError);
  EXPECT_THROW(CudaGraph(cuda, [&] { download<double, 1>(cuda, one.view(1), View<double, 1>(&host, 1)); }),
               DeviceError);
  EXPECT_THROW(CudaGraph(cuda, [&] { const DeviceBuffer<double> more(cuda, 1); }), DeviceError);
  clear<double, 1>(cuda, one.view(1));  // the stream is free again
  download<double, 1>(cuda, one.view(1), View<double, 1>(&host, 1));
  EXPECT_EQ(host, 0);
}
}  // namespace
}  // namespace sobolev
#endif
