// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/channel_scale.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class ChannelScale : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(ChannelScale, test::BackEnds, test::BackEndNames);

TYPED_TEST(ChannelScale, ScalesAndHasItsAdjoint) {
  using T = typename TypeParam::Scalar;
  struct Size {
    std::size_t points, channels;
  };
  const double eps = double(std::numeric_limits<T>::epsilon());
  for (const Size& s : {Size{0, 3}, Size{1, 1}, Size{33, 17}, Size{2500, 5}}) {
    if (test::in_another_order() && s.points > 100) continue;
    for (const bool with_bias : {false, true})
      for (const bool add : {false, true}) {
        const std::size_t n = s.points, c = s.channels, work = channel_scale_workspace(n, c);
        test::Guarded<TypeParam> x(n * c, 1), w(c, 2), b(c, 3), y(n * c), y_bar(n * c, 4), x_bar(n * c, 5),
            w_bar(c, 6), b_bar(c, 7), workspace(work);
        const std::vector<T> x_before(x_bar.data(), x_bar.data() + n * c),
            w_before(w_bar.data(), w_bar.data() + c), b_before(b_bar.data(), b_bar.data() + c);
        const auto& executor = test::executor_of<TypeParam>();
        channel_scale<T>(executor, x.cview(n, c), w.cview(c), b.cview(with_bias ? c : 0), y.view(n, c));
        channel_scale_adjoint<T>(executor, x.cview(n, c), w.cview(c), y_bar.cview(n, c), x_bar.view(n, c),
                                 add, w_bar.view(c), b_bar.view(with_bias ? c : 0), workspace.view(work));
        for (std::size_t i = 0; i < n * c; ++i) {
          const double factor = double(w.data()[i % c]), bias = with_bias ? double(b.data()[i % c]) : 0;
          const double product = factor * double(x.data()[i]), back = factor * double(y_bar.data()[i]);
          ASSERT_NEAR(double(y.data()[i]), product + bias, 2 * eps * (std::abs(product) + std::abs(bias)));
          const double before = add ? double(x_before[i]) : 0;
          ASSERT_NEAR(double(x_bar.data()[i]), back + before, 2 * eps * (std::abs(back) + std::abs(before)));
        }
        for (std::size_t k = 0; k < c; ++k) {
          double products = double(w_before[k]), total = double(b_before[k]);
          double absolute = std::abs(products), all = std::abs(total);
          for (std::size_t p = 0; p < n; ++p) {
            const double bar = double(y_bar.data()[p * c + k]), term = bar * double(x.data()[p * c + k]);
            products += term;
            absolute += std::abs(term);
            total += bar;
            all += std::abs(bar);
          }
          ASSERT_NEAR(double(w_bar.data()[k]), products, 2 * eps * double(n + 1) * absolute);
          ASSERT_NEAR(double(b_bar.data()[k]), with_bias ? total : double(b_before[k]),
                      2 * eps * double(n + 1) * all);
        }
      }
  }
}

TEST(ChannelScale, RefusesOtherShapes) {
  test::Guarded<double> x(12), w(4);
  EXPECT_THROW(channel_scale<double>(Cpu(1), x.cview(3, 4), w.cview(3), w.cview(0), x.view(3, 4)),
               ArgumentError);
  EXPECT_THROW(channel_scale<double>(Cpu(1), x.cview(3, 4), w.cview(4), w.cview(2), x.view(3, 4)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
