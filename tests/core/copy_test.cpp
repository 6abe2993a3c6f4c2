// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/copy.hpp"

#include <cstring>
#include <limits>
#include <vector>

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class E>
void copies_bits(const E& executor) {
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{33}, std::size_t{1000}}) {
    std::vector<double> host(n), back(n, 7.0);
    for (std::size_t i = 0; i < n; ++i)
      host[i] = i % 3 == 0 ? -0.0 : i % 3 == 1 ? std::numeric_limits<double>::infinity() : std::nan("");
    const auto from = zeros<double>(executor, n);
    auto to = zeros<double>(executor, n);
    const auto view = [n](auto& buffer) { return View<double, 1>(const_cast<double*>(buffer.data()), n); };
    upload<double, 1>(executor, View<const double, 1>(host.data(), n), view(from));
    copy<double, 1>(executor, View<const double, 1>(from.data(), n), view(to));
    download<double, 1>(executor, View<const double, 1>(to.data(), n), View<double, 1>(back.data(), n));
    EXPECT_TRUE(n == 0 || std::memcmp(host.data(), back.data(), n * sizeof(double)) == 0) << n;
  }
  const auto two = zeros<double>(executor, 2);
  auto three = zeros<double>(executor, 3);
  EXPECT_THROW(
      (copy<double, 1>(executor, View<const double, 1>(two.data(), 2), View<double, 1>(three.data(), 3))),
      ArgumentError);
}

TEST(Copy, KeepsEveryBit) { copies_bits(Cpu(1)); }
#if SOBOLEV_HAS_CUDA
TEST(CopyCuda, KeepsEveryBit) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  copies_bits(Cuda(0));
}
#endif
}  // namespace
}  // namespace sobolev
