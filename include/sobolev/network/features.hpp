// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/expression/expr.hpp"
#include "sobolev/jet/spec.hpp"

namespace sobolev {

/// What a network sees of a point, in the order in which it was added:
///   linear      scale·x + shift of one coordinate                                  1 input
///   periodic    cos(kωx), sin(kωx), k = 1 … modes, interleaved (ω = 2π / period)   2·modes inputs
///   expression  any expression of the coordinates                                  1 input
class Features {
 public:
  explicit Features(std::vector<std::string> coordinates) : coordinates_(std::move(coordinates)) {}
  Features& linear(int coordinate, double scale, double shift);
  Features& periodic(int coordinate, int modes, double period);
  Features& expression(Expr e);

  struct Item {
    enum class Kind { linear, periodic, expression } kind;
    int coordinate = 0, modes = 1;
    double scale = 1, shift = 0;  // periodic: scale = ω
    Expr e{0.0};
  };
  const std::vector<Item>& items() const { return items_; }
  const std::vector<std::string>& coordinates() const { return coordinates_; }
  /// F.
  int inputs() const;

 private:
  std::vector<std::string> coordinates_;
  std::vector<Item> items_;
};

/// The solution's symmetry in a coordinate: u(−x) = sign · u(x). The network N becomes the mean of
/// sign^s N over the mirrored copies of a point.
struct Symmetry {
  int coordinate;
  int sign;  // +1 or −1
};

/// The jets of the features at N points.              x : [N, D], y : [K, F, N]
/// `mirror` (a bit per coordinate): the features are taken at the point with those coordinates
/// negated, as functions of the point itself (a derivative of odd order changes sign).
/// Error: 16 eps (kω)^m per mode k and order m. Source: docs/jets.md, section 3.
template <class T>
void feature_jets(const Cpu&, const Features&, const JetSpec&, View<const T, 2> x, unsigned mirror,
                  View<T, 3> y);
template <class T>
void feature_jets(const Cuda&, const Features&, const JetSpec&, View<const T, 2> x, unsigned mirror,
                  View<T, 3> y);

}  // namespace sobolev
