// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/channel_mix.hpp"

#include <numbers>

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class ChannelMix : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(ChannelMix, test::BackEnds, test::BackEndNames);

struct Size {
  std::size_t points, inputs, outputs;
};
std::vector<Size> sizes() {
  if (test::in_another_order()) return {{19, 5, 18}};
  return {{0, 3, 4}, {1, 1, 1}, {31, 3, 32}, {257, 32, 33}, {130, 17, 5}, {2100, 4, 20}, {64, 128, 1}};
}
double gelu(double z) { return 0.5 * z * std::erfc(-z / std::numbers::sqrt2); }
double gelu_slope(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2) +
         z * std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
}
double value_of(FieldActivation activation, double z) {
  return activation == FieldActivation::gelu   ? gelu(z)
         : activation == FieldActivation::tanh ? std::tanh(z)
                                               : z;
}
double slope_of(FieldActivation activation, double z) {
  return activation == FieldActivation::gelu ? gelu_slope(z) : 1 - std::tanh(z) * std::tanh(z);
}

TYPED_TEST(ChannelMix, MixesChannelsPointByPoint) {
  using T = typename TypeParam::Scalar;
  for (const Size& s : sizes())
    for (int how = 0; how < 12; ++how) {
      const bool with_bias = (how & 1) != 0, with_added = (how & 2) != 0;
      const FieldActivation activation{how / 4};
      const bool linear = activation == FieldActivation::identity;
      test::Guarded<TypeParam> x(s.points * s.inputs, 1), w(s.inputs * s.outputs, 2), b(s.outputs, 3),
          a(s.points * s.outputs, 4), y(s.points * s.outputs), slope(s.points * s.outputs);
      channel_mix<T>(test::executor_of<TypeParam>(), activation, x.cview(s.points, s.inputs),
                     w.cview(s.inputs, s.outputs), b.cview(with_bias ? s.outputs : 0),
                     with_added ? a.cview(s.points, s.outputs) : a.cview(0, 0), y.view(s.points, s.outputs),
                     linear ? slope.view(0, 0) : slope.view(s.points, s.outputs));
      const double eps = double(std::numeric_limits<T>::epsilon());
      for (std::size_t p = 0; p < s.points; ++p)
        for (std::size_t o = 0; o < s.outputs; ++o) {
          double z =
              (with_bias ? double(b.data()[o]) : 0) + (with_added ? double(a.data()[p * s.outputs + o]) : 0);
          double absolute = 1 + std::abs(z);
          for (std::size_t c = 0; c < s.inputs; ++c) {
            const double term = double(x.data()[p * s.inputs + c]) * double(w.data()[c * s.outputs + o]);
            z += term;
            absolute += std::abs(term);
          }
          const double bound = 4 * eps * (double(s.inputs) * absolute + 1 + std::abs(z));
          ASSERT_NEAR(double(y.data()[p * s.outputs + o]), value_of(activation, z), bound);
          if (!linear) {
            ASSERT_NEAR(double(slope.data()[p * s.outputs + o]), slope_of(activation, z), bound);
          }
        }
    }
}

/// GELU and tanh over their whole range, by themselves: x · 1.
TYPED_TEST(ChannelMix, ComputesActivationsEverywhere) {
  using T = typename TypeParam::Scalar;
  const std::size_t n = test::in_another_order() ? 40 : 4001;
  for (const FieldActivation activation : {FieldActivation::gelu, FieldActivation::tanh}) {
    test::Guarded<TypeParam> x(n), one(1), y(n), slope(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = T(-20.0 + 40.0 * double(i) / double(n - 1));
    one[0] = T(1);
    channel_mix<T>(test::executor_of<TypeParam>(), activation, x.cview(n, 1), one.cview(1, 1), x.cview(0),
                   x.cview(0, 0), y.view(n, 1), slope.view(n, 1));
    for (std::size_t i = 0; i < n; ++i) {
      const double z = double(x.data()[i]),
                   bound = 4 * double(std::numeric_limits<T>::epsilon()) * (1 + std::abs(z));
      ASSERT_NEAR(double(y.data()[i]), value_of(activation, z), bound) << z;
      ASSERT_NEAR(double(slope.data()[i]), slope_of(activation, z), bound) << z;
    }
  }
}

TYPED_TEST(ChannelMix, HasItsAdjoint) {
  using T = typename TypeParam::Scalar;
  for (const Size& s : sizes())
    for (int how = 0; how < 8; ++how) {
      const bool with_slope = (how & 1) != 0, with_x = (how & 2) != 0, add = (how & 4) != 0;
      const std::size_t work = channel_mix_workspace(s.points, s.inputs, s.outputs);
      test::Guarded<TypeParam> x(s.points * s.inputs, 1), w(s.inputs * s.outputs, 2),
          slope(s.points * s.outputs, 3), y_bar(s.points * s.outputs, 4), x_bar(s.points * s.inputs, 5),
          w_bar(s.inputs * s.outputs, 6), b_bar(s.outputs, 7), workspace(work);
      std::vector<double> z(s.points * s.outputs);
      for (std::size_t i = 0; i < z.size(); ++i)
        z[i] = double(T(y_bar.data()[i] * (with_slope ? slope.data()[i] : T(1))));
      const std::vector<T> x_before(x_bar.data(), x_bar.data() + x_bar.size()),
          w_before(w_bar.data(), w_bar.data() + w_bar.size()),
          b_before(b_bar.data(), b_bar.data() + b_bar.size());
      channel_mix_adjoint<T>(
          test::executor_of<TypeParam>(), x.cview(s.points, s.inputs), w.cview(s.inputs, s.outputs),
          with_slope ? slope.cview(s.points, s.outputs) : slope.cview(0, 0), y_bar.view(s.points, s.outputs),
          with_x ? x_bar.view(s.points, s.inputs) : x_bar.view(0, 0), add, w_bar.view(s.inputs, s.outputs),
          b_bar.view(s.outputs), workspace.view(work));
      const double eps = double(std::numeric_limits<T>::epsilon());
      for (std::size_t i = 0; i < z.size(); ++i) ASSERT_EQ(double(y_bar.data()[i]), z[i]);
      for (std::size_t p = 0; p < s.points; ++p)
        for (std::size_t c = 0; c < s.inputs; ++c) {
          double sum = add || !with_x ? double(x_before[p * s.inputs + c]) : 0, absolute = std::abs(sum);
          for (std::size_t o = 0; with_x && o < s.outputs; ++o) {
            const double term = z[p * s.outputs + o] * double(w.data()[c * s.outputs + o]);
            sum += term;
            absolute += std::abs(term);
          }
          ASSERT_NEAR(double(x_bar.data()[p * s.inputs + c]), sum,
                      2 * eps * double(s.outputs + 1) * absolute);
        }
      for (std::size_t o = 0; o < s.outputs; ++o) {
        for (std::size_t c = 0; c <= s.inputs; ++c) {
          double sum = c < s.inputs ? double(w_before[c * s.outputs + o]) : double(b_before[o]);
          double absolute = std::abs(sum);
          for (std::size_t p = 0; p < s.points; ++p) {
            const double term =
                z[p * s.outputs + o] * (c < s.inputs ? double(x.data()[p * s.inputs + c]) : 1.0);
            sum += term;
            absolute += std::abs(term);
          }
          const double got = c < s.inputs ? double(w_bar.data()[c * s.outputs + o]) : double(b_bar.data()[o]);
          ASSERT_NEAR(got, sum, 2 * eps * double(s.points + 1) * absolute);
        }
      }
    }
}

template <class T>
class ChannelMixThreads : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(ChannelMixThreads, Scalars);

TYPED_TEST(ChannelMixThreads, GiveTheSameBitsWhateverTheirNumber) {
  using T = TypeParam;
  const std::size_t n = 30000, c = 20, work = channel_mix_workspace(n, c, c);
  std::vector<std::vector<T>> results;
  for (const int threads : {1, 2, 3}) {
    test::Guarded<T> x(n * c, 1), w(c * c, 2), y_bar(n * c, 3), x_bar(n * c, 4), w_bar(c * c, 5), b_bar(c, 6),
        workspace(work);
    channel_mix_adjoint<T>(Cpu(threads), x.cview(n, c), w.cview(c, c), x.cview(0, 0), y_bar.view(n, c),
                           x_bar.view(n, c), false, w_bar.view(c, c), b_bar.view(c), workspace.view(work));
    results.emplace_back(w_bar.data(), w_bar.data() + c * c);
    results.back().insert(results.back().end(), x_bar.data(), x_bar.data() + n * c);
    results.back().insert(results.back().end(), b_bar.data(), b_bar.data() + c);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(ChannelMix, RefusesOtherShapes) {
  const Cpu cpu(1);
  test::Guarded<double> x(12), w(12), y(12);
  EXPECT_THROW(channel_mix<double>(cpu, FieldActivation::gelu, x.cview(3, 4), w.cview(3, 4), x.cview(0),
                                   x.cview(0, 0), y.view(3, 4), y.view(0, 0)),
               ArgumentError);
  EXPECT_THROW(channel_mix<double>(cpu, FieldActivation::gelu, x.cview(3, 4), w.cview(4, 2), x.cview(3),
                                   x.cview(0, 0), y.view(3, 2), y.view(0, 0)),
               ArgumentError);
  EXPECT_THROW(channel_mix_adjoint<double>(cpu, x.cview(3, 4), w.cview(4, 2), x.cview(0, 0), y.view(3, 2),
                                           x.view(0, 0), false, w.view(4, 2), x.view(0), x.view(3)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
