// SPDX-License-Identifier: Apache-2.0
#include "sobolev/jet/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sobolev/core/error.hpp"

namespace sobolev {

int MultiIndex::total() const {
  int sum = 0;
  for (int o : order) sum += o;
  return sum;
}

double MultiIndex::factorial() const {
  double product = 1;
  for (int o : order)
    for (int k = 2; k <= o; ++k) product *= k;
  return product;
}

bool MultiIndex::divides(const MultiIndex& other) const {
  for (std::size_t d = 0; d < order.size(); ++d)
    if (order[d] > other.order[d]) return false;
  return true;
}

MultiIndex operator+(const MultiIndex& a, const MultiIndex& b) {
  MultiIndex c;
  for (std::size_t d = 0; d < c.order.size(); ++d) c.order[d] = std::uint8_t(a.order[d] + b.order[d]);
  return c;
}

MultiIndex operator-(const MultiIndex& a, const MultiIndex& b) {
  MultiIndex c;
  for (std::size_t d = 0; d < c.order.size(); ++d) c.order[d] = std::uint8_t(a.order[d] - b.order[d]);
  return c;
}

namespace {
/// All β ≤ α.
std::vector<MultiIndex> divisors(const MultiIndex& alpha) {
  std::vector<MultiIndex> all{MultiIndex{}};
  for (std::size_t d = 0; d < alpha.order.size(); ++d) {
    const std::size_t n = all.size();
    for (int o = 1; o <= alpha.order[d]; ++o)
      for (std::size_t i = 0; i < n; ++i) {
        all.push_back(all[i]);
        all.back().order[d] = std::uint8_t(o);
      }
  }
  return all;
}
}  // namespace

JetSpec JetSpec::closure(int dimensions, std::span<const MultiIndex> needed) {
  require(dimensions >= 1 && dimensions <= max_dimensions,
          fmt::format("jets: {} coordinates; 1 to {} are possible", dimensions, max_dimensions));
  std::set<MultiIndex> closed{MultiIndex{}};
  for (const MultiIndex& alpha : needed) {
    require(alpha.total() <= max_jet_order,
            fmt::format("jets: a derivative of order {}; at most order {} is possible", alpha.total(),
                        max_jet_order));
    for (const MultiIndex& beta : divisors(alpha)) closed.insert(beta);
  }
  require(closed.size() <= max_jet_channels,
          fmt::format("jets: the equations need {} derivatives at once; at most {} are possible",
                      closed.size(), max_jet_channels));
  std::vector<MultiIndex> sorted(closed.begin(), closed.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const MultiIndex& a, const MultiIndex& b) {
    return a.total() != b.total() ? a.total() < b.total() : b < a;
  });
  JetSpec spec;
  spec.dimensions_ = dimensions;
  for (const MultiIndex& alpha : sorted) spec.terms_.push_back({{alpha, 1.0}});
  spec.build_products();
  return spec;
}

bool JetSpec::maximal(const MultiIndex& alpha) const {
  for (const auto& channel : terms_)
    for (const JetTerm& term : channel)
      if (alpha != term.alpha && alpha.divides(term.alpha)) return false;
  return true;
}

JetSpec JetSpec::collapse(std::span<const JetTerm> combination) const {
  require(combination.size() >= 2, "jets: a collapsed channel needs at least two derivatives");
  JetSpec spec;
  spec.dimensions_ = dimensions_;
  for (const JetTerm& term : combination)
    require(term.alpha.total() > 0 && channel_of(term.alpha) > 0 && maximal(term.alpha),
            "jets: only maximal derivatives of the set can be collapsed");
  for (const auto& channel : terms_) {
    const bool taken = channel.size() == 1 &&
                       std::any_of(combination.begin(), combination.end(),
                                   [&](const JetTerm& term) { return term.alpha == channel[0].alpha; });
    if (!taken) spec.terms_.push_back(channel);
  }
  spec.terms_.emplace_back(combination.begin(), combination.end());
  spec.build_products();
  return spec;
}

int JetSpec::order() const {
  int order = 0;
  for (const auto& channel : terms_)
    for (const JetTerm& term : channel) order = std::max(order, term.alpha.total());
  return order;
}

double JetSpec::scale(int channel) const {
  return collapsed(channel) ? 1.0 : terms_[std::size_t(channel)][0].alpha.factorial();
}

int JetSpec::channel_of(const MultiIndex& alpha) const {
  for (int k = 0; k < channels(); ++k)
    if (!collapsed(k) && terms(k)[0].alpha == alpha) return k;
  return -1;
}

void JetSpec::build_products() {
  for (int k = 0; k < channels(); ++k) {
    std::map<std::pair<int, int>, double> merged;
    for (const JetTerm& term : terms(k)) {
      const double coefficient = collapsed(k) ? term.coefficient * term.alpha.factorial() : 1.0;
      for (const MultiIndex& beta : divisors(term.alpha)) {
        if (beta == MultiIndex{} || beta == term.alpha) continue;
        const int left = channel_of(beta), right = channel_of(term.alpha - beta);
        ensure(left > 0 && right > 0, "a jet set that is not downward closed");
        merged[{left, right}] += coefficient;
      }
    }
    for (const auto& [pair, coefficient] : merged)
      products_.push_back({k, pair.first, pair.second, coefficient});
  }
}

}  // namespace sobolev
