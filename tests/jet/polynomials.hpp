// SPDX-License-Identifier: Apache-2.0
#pragma once
// Polynomials in long double, multiplied by the definition: the oracle of the jet tests. A jet is what
// a JetSpec keeps of one.
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "sobolev/core/random.hpp"
#include "sobolev/jet/spec.hpp"

namespace sobolev::test {

using Real = long double;
using Polynomial = std::map<MultiIndex, Real>;  // Taylor coefficients

inline MultiIndex orders(std::initializer_list<int> of) {
  MultiIndex alpha;
  std::size_t d = 0;
  for (const int o : of) alpha.order[d++] = std::uint8_t(o);
  return alpha;
}

/// a·b, only the terms that a's index set has.
inline Polynomial multiply(const Polynomial& a, const Polynomial& b) {
  Polynomial product = a;
  for (auto& [alpha, value] : product) value = 0;
  for (const auto& [alpha, u] : a)
    for (const auto& [beta, v] : b)
      if (const auto it = product.find(alpha + beta); it != product.end()) it->second += u * v;
  return product;
}

/// The value of a channel: a Taylor coefficient, or the combination of derivatives.
inline Real channel(const JetSpec& spec, int k, const Polynomial& p) {
  if (!spec.collapsed(k)) return p.at(spec.terms(k)[0].alpha);
  Real sum = 0;
  for (const JetTerm& term : spec.terms(k))
    sum += Real(term.coefficient) * Real(term.alpha.factorial()) * p.at(term.alpha);
  return sum;
}
/// The sum of the sizes of its terms.
inline Real channel_size(const JetSpec& spec, int k, const Polynomial& p) {
  Real sum = 0;
  for (const JetTerm& term : spec.terms(k))
    sum += std::abs((spec.collapsed(k) ? Real(term.coefficient * term.alpha.factorial()) : 1) *
                    p.at(term.alpha));
  return sum;
}

/// The zero polynomial over the index set of the spec.
inline Polynomial zero(const JetSpec& spec) {
  Polynomial p;
  for (int k = 0; k < spec.channels(); ++k)
    for (const JetTerm& term : spec.terms(k)) p[term.alpha] = 0;
  return p;
}
/// Normal coefficients, rounded to T.
template <class T>
Polynomial random_polynomial(const JetSpec& spec, std::uint64_t stream) {
  const Philox random(23, stream);
  Polynomial p = zero(spec);
  std::uint64_t i = 0;
  for (auto& [alpha, value] : p) value = Real(T(random.normal(i++)));
  return p;
}

struct NamedSpec {
  std::string name;
  JetSpec spec;
};
/// Those with unrolled kernels and others, with collapsed channels and without.
inline std::vector<NamedSpec> jet_specs() {
  const auto closure = [](int d, std::vector<MultiIndex> needed) { return JetSpec::closure(d, needed); };
  const auto collapse = [](const JetSpec& spec, std::vector<JetTerm> terms) { return spec.collapse(terms); };
  const MultiIndex t = orders({1, 0}), xx = orders({0, 2}), yy = orders({2, 0});
  const MultiIndex aa = orders({2, 0, 0}), bb = orders({0, 2, 0}), cc = orders({0, 0, 2});
  const MultiIndex x3 = orders({0, 3}), x4 = orders({0, 4});
  return {
      {"value", closure(2, {})},
      {"first order in 1", closure(1, {orders({1})})},
      {"first order in 2", closure(2, {t, orders({0, 1})})},
      {"first order in 5", closure(5, {orders({1}), orders({0, 1}), orders({0, 0, 1}), orders({0, 0, 0, 1}),
                                       orders({0, 0, 0, 0, 1})})},
      {"second order in 1", closure(1, {orders({2})})},
      {"heat", closure(2, {t, xx})},
      {"heat collapsed", collapse(closure(2, {t, xx}), {{t, 1}, {xx, -0.375}})},
      {"Laplacian in 2", closure(2, {xx, yy})},
      {"Laplacian in 2 collapsed", collapse(closure(2, {xx, yy}), {{xx, 1}, {yy, 1}})},
      {"Laplacian in 3 collapsed", collapse(closure(3, {aa, bb, cc}), {{aa, 1}, {bb, 1}, {cc, 2}})},
      {"third order", closure(1, {orders({3})})},
      {"KdV collapsed", collapse(closure(2, {t, x3}), {{t, 1}, {x3, 0.5}})},
      {"u_xxxx", closure(2, {x4})},
      {"Kuramoto-Sivashinsky", closure(2, {t, x4})},
      {"u_xxyy", closure(2, {orders({2, 2})})},
      {"biharmonic collapsed", collapse(closure(2, {x4, orders({4, 0}), orders({2, 2})}),
                                        {{x4, 1}, {orders({4, 0}), 1}, {orders({2, 2}), 2}})},
      {"order 8", closure(1, {orders({8})})},
  };
}

}  // namespace sobolev::test
