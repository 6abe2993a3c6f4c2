// SPDX-License-Identifier: Apache-2.0
// Gaussians where they are far from a point, against their closed form in double.
#include <algorithm>

#include "sobolev/network/network.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
MultiIndex index(int first, int second = 0) {
  MultiIndex a;
  a.order[0] = std::uint8_t(first);
  a.order[1] = std::uint8_t(second);
  return a;
}

template <class B>
class Gaussians : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Gaussians, test::BackEnds, test::BackEndNames);

template <class T>
bool zero_or_normal(T x) {
  return x == 0 || std::isnormal(x);
}

// y = w exp(−½ x²) and its derivatives from x = 0 to where no number is small enough, at an x to which no
// other point has the same tile, so that padding and ends are met too.
TYPED_TEST(Gaussians, AreZeroFarFromAPointAndNeverSubnormal) {
  using T = typename TypeParam::Scalar;
  const MultiIndex needed[] = {index(2)};
  const JetSpec spec = JetSpec::closure(1, needed);
  Network network(1);
  network.output(network.gaussian(0, 1), 1);
  const std::size_t n = 1201, p = network.parameters();
  const double end = sizeof(T) == 4 ? -60 : -600, w = 1e-3, eps = double(std::numeric_limits<T>::epsilon());
  test::Guarded<TypeParam> theta(p), x(3 * n), y(3 * n), seed(3 * n), gradient(p);
  theta[0] = theta[1] = theta[3] = 0;  // μ, log σ, bias
  theta[2] = T(w);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = T(0.05 * double(i));
    x[n + i] = 1;
    x[2 * n + i] = 0;
    for (std::size_t c = 0; c < 3; ++c) seed[c * n + i] = 0;
  }
  const auto& device = test::executor_of<TypeParam>();
  network_forward<T>(device, network, spec, theta.cview(p), x.cview(3, 1, n), y.view(3, 1, n));
  for (std::size_t i = 0; i < n; ++i) {
    const double at = double(x[i]), q = -at * at / 2, value = q < end ? 0 : w * std::exp(q);
    const double want[] = {value, -at * value, (at * at - 1) / 2 * value};
    for (std::size_t c = 0; c < 3; ++c) {
      const T got = y[c * n + i];
      EXPECT_TRUE(zero_or_normal(got)) << "channel " << c << " at " << at << ": " << got;
      // e^q has the rounding of q; near the end the exponent may fall on either side of it.
      const double bound = 8 * eps * (2 - q) * (1 + at * at) * value +
                           (std::abs(q - end) < 8 * eps * -end ? (1 + at * at) * w * std::exp(end) : 0);
      EXPECT_LE(std::abs(double(got) - want[c]), bound) << "channel " << c << " at " << at;
    }
  }
  // One point at a time, with adjoints that are small too.
  for (std::size_t i = 0; i < n; i += 100) {
    const std::size_t one = 1;
    test::Guarded<TypeParam> place(3), seeds(3);
    place[0] = x[i];
    place[1] = 1;
    place[2] = 0;
    for (std::size_t c = 0; c < 3; ++c) seeds[c] = T(1e-4 * double(c + 1));
    network_backward<T>(device, network, spec, theta.cview(p), place.cview(3, 1, one), seeds.cview(3, 1, one),
                        gradient.view(p));
    for (std::size_t k = 0; k < p; ++k) EXPECT_TRUE(zero_or_normal(gradient[k])) << k << ": " << gradient[k];
  }
}

}  // namespace
}  // namespace sobolev
