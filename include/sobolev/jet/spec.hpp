// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace sobolev {

inline constexpr int max_dimensions = 8;
inline constexpr int max_jet_channels = 64;
inline constexpr int max_jet_order = 8;

/// α ∈ ℕ^D: orders of differentiation by coordinate.
struct MultiIndex {
  std::array<std::uint8_t, max_dimensions> order{};
  int total() const;
  double factorial() const;                             // α! = Π α_d!
  bool divides(const MultiIndex& other) const;          // α ≤ β in each coordinate
  auto operator<=>(const MultiIndex&) const = default;  // NOLINT(modernize-use-nullptr)
};
MultiIndex operator+(const MultiIndex& a, const MultiIndex& b);
MultiIndex operator-(const MultiIndex& a, const MultiIndex& b);

/// A term c · ∂^α of a channel, c relative to the derivative itself (not the Taylor coefficient).
struct JetTerm {
  MultiIndex alpha;
  double coefficient = 1;
};

/// (ab)_out += coefficient · a_left · b_right, with left, right ≠ 0; together with
/// (ab)_out += a_out b_0 + a_0 b_out this is the product of two jets.
struct JetProduct {
  int out, left, right;
  double coefficient;
};

/// The set of derivatives that a network carries along: K channels of a truncated Taylor algebra.
/// Channel 0 is the value. Channel k holds Σ_m c_m ∂^{α_m} u / n_k, where n_k = α! for an ordinary
/// channel (one term: the Taylor coefficient) and 1 for a collapsed one. The α of ordinary channels,
/// with those inside collapsed channels, form a downward-closed set. See docs/jets.md.
class JetSpec {
 public:
  /// The smallest downward-closed set that holds `needed` (and the value), ordered by total order.
  /// Throws ArgumentError beyond max_jet_order or max_jet_channels.
  static JetSpec closure(int dimensions, std::span<const MultiIndex> needed);

  /// The same set with the given derivatives, each maximal in it, replaced by one channel that holds
  /// their combination. May be repeated with other derivatives.
  JetSpec collapse(std::span<const JetTerm> combination) const;

  int dimensions() const { return dimensions_; }
  int channels() const { return int(terms_.size()); }
  /// The largest total order.
  int order() const;
  const std::vector<JetTerm>& terms(int channel) const { return terms_[std::size_t(channel)]; }
  bool collapsed(int channel) const { return terms_[std::size_t(channel)].size() > 1; }
  /// n_k: the derivative (or combination) is n_k times the channel.
  double scale(int channel) const;
  /// The ordinary channel that holds ∂^α, or −1.
  int channel_of(const MultiIndex& alpha) const;
  const std::vector<JetProduct>& products() const { return products_; }
  /// True when no other derivative of the set is a derivative of ∂^α.
  bool maximal(const MultiIndex& alpha) const;

 private:
  void build_products();
  int dimensions_ = 0;
  std::vector<std::vector<JetTerm>> terms_;
  std::vector<JetProduct> products_;
};

}  // namespace sobolev
