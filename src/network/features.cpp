// SPDX-License-Identifier: Apache-2.0
#include "sobolev/network/features.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "kernels/network/features_shapes.hpp"
#include "kernels/network/features_table.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {

Features& Features::linear(int coordinate, double scale, double shift) {
  require(coordinate >= 0 && coordinate < int(coordinates_.size()), "features: no such coordinate");
  items_.push_back({Item::Kind::linear, coordinate, 1, scale, shift, Expr(0.0)});
  return *this;
}

Features& Features::periodic(int coordinate, int modes, double period) {
  require(coordinate >= 0 && coordinate < int(coordinates_.size()), "features: no such coordinate");
  require(modes >= 1 && period > 0,
          fmt::format("features: {} modes of period {}; both must be positive", modes, period));
  items_.push_back({Item::Kind::periodic, coordinate, modes, 2 * std::numbers::pi / period, 0, Expr(0.0)});
  return *this;
}

Features& Features::expression(Expr e) {
  if (contains_fields(e))
    throw ArgumentError("features: " + to_string(e) + " contains an unknown; only coordinates may occur");
  items_.push_back({Item::Kind::expression, 0, 1, 1, 0, e});
  return *this;
}

int Features::inputs() const {
  int n = 0;
  for (const Item& item : items_) n += item.kind == Item::Kind::periodic ? 2 * item.modes : 1;
  return n;
}

namespace detail {
void check_feature_shapes(const Features& features, const JetSpec& spec, const Extents<2>& x,
                          const Extents<3>& y) {
  const std::size_t k = std::size_t(spec.channels()), inputs = std::size_t(features.inputs());
  require(x[1] == features.coordinates().size() && y[0] == k && y[1] == inputs && y[2] == x[0],
          fmt::format("feature_jets: x is [{}, {}] and y is [{}, {}, {}]; y must be [{}, {}, {}]", x[0], x[1],
                      y[0], y[1], y[2], k, inputs, x[0]));
}

namespace {
/// ∂^α by coordinate names.
Expr differentiate(Expr e, const MultiIndex& alpha, const std::vector<std::string>& names) {
  for (std::size_t d = 0; d < names.size(); ++d)
    for (int o = 0; o < alpha.order[d]; ++o) e = sobolev::differentiate(e, names[d]);
  return e;
}
}  // namespace

template <class T>
FeatureTable<T>::FeatureTable(const Features& features, const JetSpec& spec, unsigned mirror)
    : inputs_(features.inputs()),
      coordinates_(int(features.coordinates().size())),
      channels_(spec.channels()) {
  require(
      spec.dimensions() == coordinates_,
      fmt::format("features: a jet of {} coordinates for features of {}", spec.dimensions(), coordinates_));
  const auto& names = features.coordinates();
  const auto mirrored = [&](int coordinate) { return (mirror >> coordinate & 1u) != 0; };
  std::vector<std::pair<Expr, Expr>> negate;
  std::vector<Expr> leaves;
  for (int d = 0; d < coordinates_; ++d) {
    const Expr x = coordinate(names[std::size_t(d)]);
    leaves.push_back(x);
    if (mirrored(d)) negate.emplace_back(x, -x);
  }

  for (int k = 0; k < channels_; ++k)
    for (const JetTerm& term : spec.terms(k)) {
      int pure = -1, axes = 0;
      for (int d = 0; d < coordinates_; ++d)
        if (term.alpha.order[std::size_t(d)] > 0) {
          pure = d;
          ++axes;
        }
      if (axes == 1)
        derivatives_.push_back({k, pure, term.alpha.total(), T(term.coefficient / spec.scale(k))});
    }

  std::vector<Expr> outputs;
  int at = 0;
  for (const Features::Item& item : features.items()) {
    const double sign = mirrored(item.coordinate) ? -1 : 1;
    switch (item.kind) {
      case Features::Item::Kind::linear:
        linear_.push_back({at, item.coordinate, T(sign * item.scale), T(item.shift)});
        at += 1;
        break;
      case Features::Item::Kind::periodic:
        periodic_.push_back({at, item.coordinate, item.modes, T(sign * item.scale)});
        at += 2 * item.modes;
        break;
      case Features::Item::Kind::expression: {
        const Expr e = substitute(item.e, negate);
        expression_features_.push_back(at);
        for (int k = 0; k < channels_; ++k) {
          Expr sum = 0.0;
          for (const JetTerm& term : spec.terms(k))
            sum = sum + Expr(term.coefficient / spec.scale(k)) * differentiate(e, term.alpha, names);
          outputs.push_back(sum);
        }
        at += 1;
        break;
      }
    }
  }
  if (!outputs.empty()) tape_ = compile(outputs, leaves);
}

template <class T>
FeatureView<T> FeatureTable<T>::view() const {
  return {inputs_,
          coordinates_,
          channels_,
          int(linear_.size()),
          int(periodic_.size()),
          int(derivatives_.size()),
          int(expression_features_.size()),
          linear_.data(),
          periodic_.data(),
          derivatives_.data(),
          expression_features_.data(),
          TapeView(tape_)};
}

template class FeatureTable<float>;
template class FeatureTable<double>;
}  // namespace detail
}  // namespace sobolev
