// SPDX-License-Identifier: Apache-2.0
// The physics of a loss against closed forms, and its gradient against finite differences.
#include "src/operators/physics_loss.hpp"

#include <numbers>

#include "sobolev/core/random.hpp"
#include "tests/support.hpp"

namespace sobolev::detail {
namespace {
template <class B>
class PhysicsLosses : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(PhysicsLosses, test::DoubleBackEnds, test::BackEndNames);

template <class E>
class OnExecutor {
 public:
  OnExecutor(const E& executor, std::vector<double> host)
      : executor_(executor), host_(std::move(host)), there_(zeros<double>(executor, host_.size())) {
    put();
  }
  void put() {
    upload<double, 1>(executor_, View<const double, 1>(host_.data(), host_.size()),
                      View<double, 1>(there_.data(), host_.size()));
  }
  std::vector<double>& get() {
    download<double, 1>(executor_, View<const double, 1>(there_.data(), host_.size()),
                        View<double, 1>(host_.data(), host_.size()));
    return host_;
  }
  std::vector<double>& host() { return host_; }
  template <class... Sizes>
  View<double, int(sizeof...(Sizes))> view(Sizes... sizes) {
    return View<double, int(sizeof...(Sizes))>(there_.data(), sizes...);
  }

 private:
  E executor_;
  std::vector<double> host_;
  BufferOn<E, double> there_;
};

PhysicsOptions burgers() {
  const Expr u = unknown("u"), t = coordinate("t"), x = coordinate("x");
  PhysicsOptions physics;
  physics.axes = {{"t", 0, 0.5, false}, {"x", 0, 1, true}};
  physics.unknowns = {"u"};
  physics.equations = {{"burgers", d(u, t) + u * d(u, x) - 0.1 * d(u, x, x)}};
  return physics;
}

/// u = a + c t + sin 2πx: u_t + u u_x − ν u_xx = c + u 2π cos 2πx + ν 4π² sin 2πx, exact on any such grid.
TYPED_TEST(PhysicsLosses, AreTheResidualsOfTheEquations) {
  using E = typename TypeParam::Executor;
  const E& executor = test::executor_of<TypeParam>();
  const PhysicsOptions physics = burgers();
  const std::size_t nt = 6, nx = 9, n = nt * nx, batch = 2;
  const double mean = 0.3, deviation = 2, pi = std::numbers::pi, c = 0.7;
  std::vector<double> y;
  double want = 0;
  for (std::size_t b = 0; b < batch; ++b) {
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double t = 0.5 * double(i / nx) / double(nt - 1), x = double(i % nx) / double(nx);
      const double u = double(b) + c * t + std::sin(2 * pi * x);
      y.push_back((u - mean) / deviation);
      const double r = c + u * 2 * pi * std::cos(2 * pi * x) + 0.1 * 4 * pi * pi * std::sin(2 * pi * x);
      squares += r * r;
    }
    want += std::sqrt(squares / double(n)) / double(batch);
  }
  PhysicsOptions weighted = physics;
  weighted.data = 3;
  weighted.weight = 0.5;
  weighted.initial = 2;
  PhysicsLoss<double, E> loss(executor, weighted, {nt, nx}, batch, {{mean}, {deviation}});
  std::vector<double> begin;
  for (std::size_t b = 0; b < batch; ++b)
    for (std::size_t i = 0; i < nx; ++i)
      begin.push_back((double(b) + std::sin(2 * pi * double(i) / double(nx))) * 2);  // an error of one half
  OnExecutor<E> fields(executor, y), value(executor, {0.25}), initial(executor, begin);
  const View<double, 3> none(nullptr, 0, 0, 0);
  loss.add(fields.view(batch, n, std::size_t(1)), none, none, value.view(std::size_t(1)));
  EXPECT_NEAR(value.get()[0], 3 * 0.25 + 0.5 * want, 1e-10);
  value.host() = {0.25};
  value.put();
  loss.add(fields.view(batch, n, std::size_t(1)), initial.view(batch, nx, std::size_t(1)), none,
           value.view(std::size_t(1)));
  EXPECT_NEAR(value.get()[0], 3 * 0.25 + 0.5 * want + 2 * 0.5, 1e-10);
}

TYPED_TEST(PhysicsLosses, HaveTheirGradient) {
  using E = typename TypeParam::Executor;
  const E& executor = test::executor_of<TypeParam>();
  PhysicsOptions physics = burgers();
  physics.data = 0.5;
  physics.initial = 0.7;
  physics.weight = 0.3;
  // Two unknowns, a mixed derivative, coordinates.
  const Expr u = unknown("u"), v = unknown("v"), t = coordinate("t"), x = coordinate("x");
  physics.unknowns = {"u", "v"};
  physics.equations.push_back({"second", d(v, t, x) * u + sin(v) * x - exp(t) * d(d(v, t), t)});
  const std::size_t nt = 7, nx = 5, n = nt * nx, batch = 2, channels = 2;
  PhysicsLoss<double, E> loss(executor, physics, {nt, nx}, batch, {{0.3, -1}, {2, 0.5}});
  const auto numbers = [](std::size_t count, std::uint64_t stream) {
    std::vector<double> out;
    const Philox random(4, stream);
    for (std::size_t i = 0; i < count; ++i) out.push_back(random.normal(i));
    return out;
  };
  OnExecutor<E> y(executor, numbers(batch * n * channels, 1)),
      initial(executor, numbers(batch * nx * channels, 2)), value(executor, {0});
  const std::vector<double> data_bar = numbers(batch * n * channels, 3);  // d = Σ data_bar y
  OnExecutor<E> bar(executor, data_bar);
  const auto at = [&](OnExecutor<E>* gradient) {
    double data = 0;
    for (std::size_t i = 0; i < data_bar.size(); ++i) data += data_bar[i] * y.host()[i];
    value.host() = {data};
    value.put();
    loss.add(y.view(batch, n, channels), initial.view(batch, nx, channels),
             gradient != nullptr ? gradient->view(batch, n, channels) : View<double, 3>(nullptr, 0, 0, 0),
             value.view(std::size_t(1)));
    return value.get()[0];
  };
  const double first = at(&bar);
  EXPECT_EQ(at(nullptr), first);
  const std::vector<double> gradient = bar.get();
  double largest = 0;
  for (double g : gradient) largest = std::max(largest, std::abs(g));
  const std::size_t step = std::is_same_v<E, Cpu> ? 1 : test::in_another_order() ? 41 : 11;
  for (std::size_t i = 0; i < gradient.size(); i += step) {
    const double before = y.host()[i], h = 1e-5;
    const auto moved = [&](double to) {
      y.host()[i] = to;
      y.put();
      return at(nullptr);
    };
    const double difference = (moved(before + h) - moved(before - h)) / (2 * h);
    y.host()[i] = before;
    EXPECT_NEAR(gradient[i], difference, 1e-6 * (1 + largest)) << i;
  }
}

TEST(PhysicsLoss, RefusesOtherGrids) {
  EXPECT_THROW((PhysicsLoss<double, Cpu>(Cpu(1), burgers(), {5}, 1, {{0}, {1}})), ArgumentError);
  EXPECT_THROW((PhysicsLoss<double, Cpu>(Cpu(1), burgers(), {8, 8}, 1, {{0, 0}, {1, 1}})), ArgumentError);
  EXPECT_THROW((PhysicsLoss<double, Cpu>(Cpu(1), burgers(), {3, 8}, 1, {{0}, {1}})), ArgumentError);
}
}  // namespace
}  // namespace sobolev::detail
