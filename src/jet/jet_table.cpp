// SPDX-License-Identifier: Apache-2.0
#include "kernels/jet/jet_table.hpp"

#include <algorithm>
#include <initializer_list>

namespace sobolev::detail {
namespace {
struct Pattern {
  JetShape shape;
  int channels;
  std::vector<std::vector<int>> products;  // {out, left, right}
};

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = {
      {JetShape::value, 1, {}},
      {JetShape::first_1, 2, {}},
      {JetShape::first_2, 3, {}},
      {JetShape::second_1, 3, {{2, 1, 1}}},
      {JetShape::second_1_first, 4, {{3, 2, 2}}},
      {JetShape::second_2, 4, {{3, 1, 1}, {3, 2, 2}}},
      {JetShape::mixed_2, 4, {{3, 1, 2}, {3, 2, 1}}},
      {JetShape::diagonal_2, 5, {{3, 1, 1}, {4, 2, 2}}},
      {JetShape::third_1, 4, {{2, 1, 1}, {3, 1, 2}, {3, 2, 1}}},
      {JetShape::fourth_1, 5, {{2, 1, 1}, {3, 1, 2}, {3, 2, 1}, {4, 1, 3}, {4, 2, 2}, {4, 3, 1}}},
      {JetShape::second_3, 5, {{4, 1, 1}, {4, 2, 2}, {4, 3, 3}}},
  };
  return all;
}
}  // namespace

template <class T>
JetTable<T>::JetTable(const JetSpec& spec) : order_(spec.order()) {
  for (const JetProduct& p : spec.products()) {
    products_.push_back({std::int16_t(p.out), std::int16_t(p.left), std::int16_t(p.right)});
    coefficients_.push_back(T(p.coefficient));
  }
  for (int k = 0; k < spec.channels(); ++k) {
    int reach = 0;
    for (const JetTerm& term : spec.terms(k)) reach = std::max(reach, term.alpha.total());
    reach_.push_back(std::int8_t(reach));
  }
  for (const Pattern& pattern : patterns()) {
    const bool same = pattern.channels == spec.channels() && pattern.products.size() == products_.size() &&
                      std::equal(products_.begin(), products_.end(), pattern.products.begin(),
                                 [](const JetProductIndex& p, const std::vector<int>& q) {
                                   return p.out == q[0] && p.left == q[1] && p.right == q[2];
                                 });
    if (same) shape_ = pattern.shape;
  }
}

template <class T>
JetTableView<T> JetTable<T>::view() const {
  return {int(reach_.size()),   order_,       int(products_.size()), shape_, products_.data(),
          coefficients_.data(), reach_.data()};
}

template class JetTable<float>;
template class JetTable<double>;

}  // namespace sobolev::detail
