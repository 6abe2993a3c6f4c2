// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/basis_product.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class BasisProduct : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(BasisProduct, test::BackEnds, test::BackEndNames);

struct Size {
  std::size_t batch, points, outputs, basis;
  bool shared;
  std::size_t trunks() const { return shared ? 1 : batch; }
  std::size_t row() const { return outputs * basis; }
};
std::vector<Size> sizes() {
  if (test::in_another_order()) return {{3, 17, 2, 5, true}, {2, 17, 2, 5, false}};
  return {{0, 5, 1, 3, false}, {1, 1, 1, 1, true},    {5, 70, 1, 33, true},  {5, 19, 3, 7, true},
          {9, 0, 2, 4, true},  {4, 31, 2, 20, false}, {3, 67, 1, 40, false}, {1, 130, 2, 9, false}};
}
struct Sum {
  double value = 0, absolute = 0;
  void add(double term) {
    value += term;
    absolute += std::abs(term);
  }
};

TYPED_TEST(BasisProduct, SumsBasisFunctions) {
  using T = typename TypeParam::Scalar;
  for (const Size& s : sizes())
    for (const bool with_bias : {false, true}) {
      test::Guarded<TypeParam> branch(s.batch * s.row(), 1), trunk(s.trunks() * s.points * s.row(), 2),
          bias(s.outputs, 3), y(s.batch * s.points * s.outputs);
      basis_product<T>(test::executor_of<TypeParam>(), branch.cview(s.batch, s.row()),
                       trunk.cview(s.trunks(), s.points, s.row()), bias.cview(with_bias ? s.outputs : 0),
                       y.view(s.batch, s.points, s.outputs));
      for (std::size_t b = 0; b < s.batch; ++b)
        for (std::size_t p = 0; p < s.points; ++p)
          for (std::size_t o = 0; o < s.outputs; ++o) {
            Sum want;
            if (with_bias) want.add(double(bias.data()[o]));
            for (std::size_t k = o * s.basis; k < (o + 1) * s.basis; ++k)
              want.add(double(branch.data()[b * s.row() + k]) *
                       double(trunk.data()[((s.shared ? 0 : b) * s.points + p) * s.row() + k]));
            ASSERT_NEAR(double(y.data()[(b * s.points + p) * s.outputs + o]), want.value,
                        2 * double(std::numeric_limits<T>::epsilon()) * double(s.basis) * want.absolute);
          }
    }
}

TYPED_TEST(BasisProduct, HasItsAdjoint) {
  using T = typename TypeParam::Scalar;
  const double eps = double(std::numeric_limits<T>::epsilon());
  for (const Size& s : sizes())
    for (int how = 0; how < 8; ++how) {
      const bool with_branch = (how & 1) != 0, with_trunk = (how & 2) != 0, add = (how & 4) != 0;
      test::Guarded<TypeParam> branch(s.batch * s.row(), 1), trunk(s.trunks() * s.points * s.row(), 2),
          y_bar(s.batch * s.points * s.outputs, 3), branch_bar(branch.size(), 4), trunk_bar(trunk.size(), 5),
          bias_bar(s.outputs, 6);
      const std::vector<T> branch_before(branch_bar.data(), branch_bar.data() + branch_bar.size()),
          trunk_before(trunk_bar.data(), trunk_bar.data() + trunk_bar.size()),
          bias_before(bias_bar.data(), bias_bar.data() + bias_bar.size());
      basis_product_adjoint<T>(
          test::executor_of<TypeParam>(), branch.cview(s.batch, s.row()),
          trunk.cview(s.trunks(), s.points, s.row()), y_bar.cview(s.batch, s.points, s.outputs),
          with_branch ? branch_bar.view(s.batch, s.row()) : branch_bar.view(0, 0), add,
          with_trunk ? trunk_bar.view(s.trunks(), s.points, s.row()) : trunk_bar.view(0, 0, 0), add,
          bias_bar.view(with_branch ? s.outputs : 0));
      std::vector<Sum> branch_want(branch.size()), trunk_want(trunk.size()), bias_want(s.outputs);
      for (std::size_t i = 0; i < branch.size(); ++i)
        if (add || !with_branch) branch_want[i].add(double(branch_before[i]));
      for (std::size_t i = 0; i < trunk.size(); ++i)
        if (add || !with_trunk) trunk_want[i].add(double(trunk_before[i]));
      for (std::size_t o = 0; o < s.outputs; ++o) bias_want[o].add(double(bias_before[o]));
      for (std::size_t b = 0; b < s.batch; ++b)
        for (std::size_t p = 0; p < s.points; ++p)
          for (std::size_t o = 0; o < s.outputs; ++o) {
            const double bar = double(y_bar.data()[(b * s.points + p) * s.outputs + o]);
            if (with_branch) bias_want[o].add(bar);
            for (std::size_t k = o * s.basis; k < (o + 1) * s.basis; ++k) {
              const std::size_t t = ((s.shared ? 0 : b) * s.points + p) * s.row() + k;
              if (with_branch) branch_want[b * s.row() + k].add(bar * double(trunk.data()[t]));
              if (with_trunk) trunk_want[t].add(bar * double(branch.data()[b * s.row() + k]));
            }
          }
      const auto check = [&](test::Guarded<TypeParam>& got, const std::vector<Sum>& want, std::size_t terms) {
        for (std::size_t i = 0; i < want.size(); ++i)
          ASSERT_NEAR(double(got.data()[i]), want[i].value, 2 * eps * double(terms + 1) * want[i].absolute);
      };
      check(branch_bar, branch_want, s.points);
      check(trunk_bar, trunk_want, s.batch);
      check(bias_bar, bias_want, s.batch * s.points);
    }
}

TEST(BasisProduct, RefusesOtherShapes) {
  const Cpu cpu(1);
  test::Guarded<double> a(24), y(24);
  const auto call = [&](std::size_t batch, std::size_t row, std::size_t trunks, std::size_t outputs) {
    basis_product<double>(cpu, a.cview(batch, row), a.cview(trunks, 2, row), a.cview(0),
                          y.view(batch, 2, outputs));
  };
  call(2, 6, 2, 3);
  EXPECT_THROW(call(2, 5, 2, 3), ArgumentError);
  EXPECT_THROW(call(3, 3, 2, 1), ArgumentError);
  EXPECT_THROW(basis_product<double>(cpu, a.cview(2, 6), a.cview(2, 2, 6), a.cview(1), y.view(2, 2, 3)),
               ArgumentError);
  EXPECT_THROW(basis_product_adjoint<double>(cpu, a.cview(2, 6), a.cview(2, 2, 6), y.cview(2, 2, 3),
                                             y.view(1, 6), false, y.view(0, 0, 0), false, y.view(0)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
