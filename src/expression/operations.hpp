// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sobolev/expression/expr.hpp"

namespace sobolev::detail {
double apply_unary(Op op, double x);
double apply_binary(Op op, double x, double y);
/// The expression op(a, b) (or op(a)) through the folding constructors.
Expr build(Op op, Expr a, Expr b);
bool is_leaf(Expr e);

/// The distinct nodes of `roots`, operands before the nodes that use them. Nodes for which enter(e) is
/// false are listed but not looked into. Without recursion: a sum of 64 KiB of text is as deep as it is long.
template <class Enter>
std::vector<Expr> operands_first(std::span<const Expr> roots, const Enter& enter) {
  std::vector<Expr> order;
  std::unordered_set<const ExprNode*> seen;
  std::vector<std::pair<Expr, bool>> stack;  // node, whether its operands are done
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) stack.emplace_back(*root, false);
  while (!stack.empty()) {
    const auto [e, ready] = stack.back();
    stack.pop_back();
    if (ready) {
      order.push_back(e);
    } else if (seen.insert(e.node()).second) {
      stack.emplace_back(e, true);
      if (is_leaf(e) || !enter(e)) continue;
      if (e->b.node()) stack.emplace_back(e->b, false);
      stack.emplace_back(e->a, false);
    }
  }
  return order;
}
}  // namespace sobolev::detail
