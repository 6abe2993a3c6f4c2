// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/field_copy.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class FieldCopy : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(FieldCopy, test::BackEnds, test::BackEndNames);

TYPED_TEST(FieldCopy, CopiesAndAddsBoxes) {
  using T = typename TypeParam::Scalar;
  struct Case {
    std::size_t from_batch, batch, from_channels, channels, count;
    FieldBox from, to;
    Extents<3> box;
  };
  const Case cases[] = {
      {2, 2, 3, 3, 3, {{1, 4, 5}, {0, 0, 0}, 0}, {{1, 7, 9}, {0, 1, 2}, 0}, {1, 4, 5}},  // pad
      {2, 2, 3, 3, 3, {{1, 7, 9}, {0, 1, 2}, 0}, {{1, 4, 5}, {0, 0, 0}, 0}, {1, 4, 5}},  // crop
      {1, 3, 2, 5, 2, {{1, 1, 8}, {0, 0, 0}, 0}, {{1, 1, 8}, {0, 0, 0}, 3}, {1, 1, 8}},  // join
      {3, 3, 5, 2, 1, {{1, 1, 8}, {0, 0, 3}, 4}, {{1, 1, 8}, {0, 0, 0}, 1}, {1, 1, 5}},
      {1, 1, 2, 2, 2, {{3, 4, 5}, {1, 2, 0}, 0}, {{2, 2, 6}, {0, 0, 1}, 0}, {2, 2, 4}},
      {2, 2, 2, 2, 0, {{1, 1, 4}, {0, 0, 0}, 0}, {{1, 1, 4}, {0, 0, 0}, 0}, {1, 1, 4}},
      {0, 0, 2, 2, 2, {{1, 1, 4}, {0, 0, 0}, 0}, {{1, 1, 4}, {0, 0, 0}, 0}, {1, 1, 4}}};
  for (const Case& c : cases)
    for (const bool add : {false, true}) {
      const auto points = [](const FieldBox& b) { return b.grid[0] * b.grid[1] * b.grid[2]; };
      const std::size_t n = points(c.from), m = points(c.to);
      test::Guarded<TypeParam> from(c.from_batch * n * c.from_channels, 1), to(c.batch * m * c.channels, 2);
      std::vector<T> want(to.data(), to.data() + to.size());
      for (std::size_t b = 0; b < c.batch; ++b)
        for (std::size_t i = 0; i < c.box[0]; ++i)
          for (std::size_t j = 0; j < c.box[1]; ++j)
            for (std::size_t k = 0; k < c.box[2]; ++k)
              for (std::size_t ch = 0; ch < c.count; ++ch) {
                const auto place = [&](const FieldBox& at, std::size_t sample, std::size_t channels) {
                  const std::size_t point =
                      ((sample * at.grid[0] + at.first[0] + i) * at.grid[1] + at.first[1] + j) * at.grid[2] +
                      at.first[2] + k;
                  return point * channels + at.channel + ch;
                };
                const T value = from.data()[place(c.from, c.from_batch == 1 ? 0 : b, c.from_channels)];
                T& out = want[place(c.to, b, c.channels)];
                out = add ? out + value : value;
              }
      field_copy<T>(test::executor_of<TypeParam>(), from.cview(c.from_batch, n, c.from_channels), c.from,
                    to.view(c.batch, m, c.channels), c.to, c.box, c.count, add);
      EXPECT_EQ(std::vector<T>(to.data(), to.data() + to.size()), want);
    }
}

TEST(FieldCopy, RefusesBoxesThatDoNotFit) {
  const Cpu cpu(1);
  test::Guarded<double> from(24), to(24);
  const FieldBox whole{{1, 3, 4}, {0, 0, 0}, 0}, moved{{1, 3, 4}, {0, 1, 0}, 0},
      channel{{1, 3, 4}, {0, 0, 0}, 1};
  const auto call = [&](const FieldBox& a, const FieldBox& b, std::size_t channels) {
    field_copy<double>(cpu, from.cview(1, 12, 2), a, to.view(1, 12, 2), b, {1, 3, 4}, channels, false);
  };
  call(whole, whole, 2);
  EXPECT_THROW(call(moved, whole, 2), ArgumentError);
  EXPECT_THROW(call(whole, moved, 2), ArgumentError);
  EXPECT_THROW(call(whole, channel, 2), ArgumentError);
  EXPECT_THROW(call({{1, 4, 4}, {0, 0, 0}, 0}, whole, 2), ArgumentError);
}
}  // namespace
}  // namespace sobolev
