// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "sobolev/expression/expr.hpp"

namespace sobolev {
namespace {
constexpr int deepest = 32;  // factors looked through in search of a sum

bool contains_sum(Expr e, int depth = 0) {
  switch (e->op) {
    case Op::add:
    case Op::subtract: return true;
    case Op::negate: return depth < deepest && contains_sum(e->a, depth + 1);
    case Op::divide: return depth < deepest && contains_sum(e->a, depth + 1);
    case Op::multiply:
      return depth < deepest && (contains_sum(e->a, depth + 1) || contains_sum(e->b, depth + 1));
    default: return false;
  }
}
}  // namespace

std::vector<Expr> summands(Expr e, std::size_t most) {
  struct Piece {
    Expr e, factor;
  };
  std::vector<Expr> out;
  std::vector<Piece> pieces{{e, Expr(1.0)}};
  while (!pieces.empty()) {
    const auto [x, factor] = pieces.back();
    pieces.pop_back();
    const bool full = out.size() + pieces.size() + 2 > most;
    if (full || !contains_sum(x)) {
      out.push_back(factor * x);
      continue;
    }
    switch (x->op) {
      case Op::add:
        pieces.push_back({x->b, factor});
        pieces.push_back({x->a, factor});
        break;
      case Op::subtract:
        pieces.push_back({x->b, -factor});
        pieces.push_back({x->a, factor});
        break;
      case Op::negate: pieces.push_back({x->a, -factor}); break;
      case Op::divide: pieces.push_back({x->a, factor / x->b}); break;
      default:
        if (contains_sum(x->b))
          pieces.push_back({x->b, factor * x->a});
        else
          pieces.push_back({x->a, factor * x->b});
    }
  }
  return out;
}

}  // namespace sobolev
