// SPDX-License-Identifier: Apache-2.0
// A planned network gives what the calls without a plan give, and takes nothing on the way.
#include "sobolev/network/network.hpp"
#include "tests/count_allocations.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
JetSpec second_order() {
  MultiIndex xx, t;
  xx.order[1] = 2;
  t.order[0] = 1;
  return JetSpec::closure(2, std::vector<MultiIndex>{xx, t});
}

template <class B>
class Planned : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Planned, test::ProductBackEnds, test::BackEndNames);

TYPED_TEST(Planned, GivesTheBitsOfCallsWithoutAPlan) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  const E& on = test::executor_of<TypeParam>();
  const JetSpec spec = second_order();
  const std::size_t k = std::size_t(spec.channels());
  for (const Network& network : {mlp(3, 2, 2, 20), pirate(2, 1, 1, 9).factorized()}) {
    const std::size_t p = network.parameters(), in = std::size_t(network.inputs()),
                      out = std::size_t(network.outputs());
    for (const std::size_t n : {std::size_t(1), std::size_t(150)}) {
      PlannedNetwork<T, E> planned(on, network, spec, n);
      EXPECT_GT(planned.scratch_bytes(), 0u);
      for (const std::uint64_t again : {0, 1}) {
        test::Guarded<TypeParam> theta(p, 1 + again, 0.4), x(k * in * n, 2, 0.5), y(k * out * n, 3),
            want_y(k * out * n, 4), seed(k * out * n, 5), gradient(p, 6), want(p, 7);
        planned.forward(theta.cview(p), x.cview(k, in, n), y.view(k, out, n));
        network_forward<T>(on, network, spec, theta.cview(p), x.cview(k, in, n), want_y.view(k, out, n));
        planned.backward(theta.cview(p), x.cview(k, in, n), seed.cview(k, out, n), gradient.view(p));
        network_backward<T>(on, network, spec, theta.cview(p), x.cview(k, in, n), seed.cview(k, out, n),
                            want.view(p));
        for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], want_y[i]);
        for (std::size_t i = 0; i < p; ++i) ASSERT_EQ(gradient[i], want[i]);
      }
    }
  }
}

TYPED_TEST(Planned, TakesMorePointsThanItWasMadeForAndNone) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  const Network network = mlp(2, 1, 1, 8);
  const JetSpec spec = second_order();
  const std::size_t k = std::size_t(spec.channels()), p = network.parameters(), n = 200;
  PlannedNetwork<T, E> planned(test::executor_of<TypeParam>(), network, spec, 1);
  test::Guarded<TypeParam> theta(p, 1), x(k * 2 * n, 2, 0.5), y(k * n, 3), want(k * n, 4), gradient(p, 5),
      none(0);
  planned.forward(theta.cview(p), x.cview(k, 2, n), y.view(k, 1, n));
  network_forward<T>(test::executor_of<TypeParam>(), network, spec, theta.cview(p), x.cview(k, 2, n),
                     want.view(k, 1, n));
  for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], want[i]);
  planned.backward(theta.cview(p), none.cview(k, 2, 0), none.cview(k, 1, 0), gradient.view(p));
  for (std::size_t i = 0; i < p; ++i) EXPECT_EQ(gradient[i], T(0));
  EXPECT_THROW(planned.forward(theta.cview(p), x.cview(k, 1, n), y.view(k, 1, n)), ArgumentError);
}

TEST(PlannedCpu, TakesNoMemory) {
  if (!SOBOLEV_COUNTS_ALLOCATIONS) GTEST_SKIP() << "the sanitizer's operator new does not count";
  const Network network = modified_mlp(2, 2, 2, 24);
  const JetSpec spec = second_order();
  const std::size_t k = std::size_t(spec.channels()), p = network.parameters(), n = 500;
  PlannedNetwork<double> planned(Cpu(2), network, spec);
  std::vector<double> theta(p, 0.1), x(k * 2 * n, 0.2), y(k * 2 * n), gradient(p);
  const View<const double, 1> parameters(theta.data(), p);
  const View<const double, 3> in(x.data(), k, 2, n);
  EXPECT_EQ(test::allocations_of([&] {
              planned.forward(parameters, in, View<double, 3>(y.data(), k, 2, n));
              planned.backward(parameters, in, View<const double, 3>(y.data(), k, 2, n),
                               View<double, 1>(gradient.data(), p));
            }),
            0);
  EXPECT_GT(test::allocations_of([&] {
              network_forward<double>(Cpu(2), network, spec, parameters, in,
                                      View<double, 3>(y.data(), k, 2, n));
            }),
            0);
}

#if SOBOLEV_HAS_CUDA
// Recording fails where something is taken, copied to or from the host, or waited for.
TEST(PlannedCuda, IsRecordedInAGraph) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const Cuda& cuda = test::executor<Cuda>();
  const Network network = mlp(2, 1, 2, 16).factorized();
  const JetSpec spec = second_order();
  const std::size_t k = std::size_t(spec.channels()), p = network.parameters(), n = 100;
  PlannedNetwork<float, Cuda> planned(cuda, network, spec, n);
  using Array = test::Guarded<test::On<Cuda, float>>;
  Array theta(p, 1, 0.4), x(k * 2 * n, 2, 0.5), y(k * n, 3), gradient(p, 4), want(p, 5);
  const auto parameters = theta.cview(p);
  const auto in = x.cview(k, 2, n);
  const auto out = y.view(k, 1, n);
  const auto slope = gradient.view(p);
  const CudaGraph graph(cuda, [&] {
    planned.forward(parameters, in, out);
    planned.backward(parameters, in, out, slope);
  });
  for (int i = 0; i < 2; ++i) graph.launch();
  network_backward<float>(cuda, network, spec, parameters, in, y.cview(k, 1, n), want.view(p));
  for (std::size_t i = 0; i < p; ++i) ASSERT_EQ(gradient[i], want[i]);
}
#endif
}  // namespace
}  // namespace sobolev
