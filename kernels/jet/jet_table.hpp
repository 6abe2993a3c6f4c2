// SPDX-License-Identifier: Apache-2.0
#pragma once
// A JetSpec in the form that the kernels read. Host code builds it once; it owns its arrays.
#include <cstdint>
#include <vector>

#include "sobolev/jet/spec.hpp"

namespace sobolev::detail {

struct JetProductIndex {
  std::int16_t out, left, right;
};

/// Structures that have an unrolled kernel: which products a channel has, not the coordinates' names.
enum class JetShape {
  general,
  value,           // {1}
  first_1,         // {1, a}
  first_2,         // {1, a, b}
  second_1,        // {1, a, aa or a combination with aa}
  second_1_first,  // {1, a, b, bb}: a heat equation's set without collapsing
  second_2,        // {1, a, b, combination of aa and bb}
  mixed_2,         // {1, a, b, ab}
  diagonal_2,      // {1, a, b, aa, bb}
  third_1,         // {1, a, aa, combination with aaa}
  fourth_1,        // {1, a, aa, aaa, combination with aaaa}
  second_3,        // {1, a, b, c, combination of aa, bb and cc}
};

template <class T>
struct JetTableView {
  int channels, order, product_count;
  JetShape shape;
  const JetProductIndex* products;
  const T* coefficients;     // of the products
  const std::int8_t* reach;  // largest total order in a channel
};

template <class T>
class JetTable {
 public:
  explicit JetTable(const JetSpec& spec);
  JetTableView<T> view() const;

 private:
  int order_;
  JetShape shape_ = JetShape::general;
  std::vector<JetProductIndex> products_;
  std::vector<T> coefficients_;
  std::vector<std::int8_t> reach_;
};

}  // namespace sobolev::detail
