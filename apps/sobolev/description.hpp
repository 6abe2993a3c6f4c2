// SPDX-License-Identifier: Apache-2.0
#pragma once
// A problem and its options in words, for `check`, the report and summaries.
#include <optional>
#include <string>
#include <vector>

#include "sobolev/pinn/solve.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev::app {

/// Of an expression that is shown: shared parts are written out at each of their places, which can take
/// exponentially many.
inline constexpr std::size_t longest_text = 2000;

/// What becomes of a condition in the first window.
enum class Role { trained, built_in, kept_by_output };

/// What the library makes of a problem.
struct Understood {
  Problem chosen;   // with defaults
  Problem trained;  // what the networks solve: the same, its label problem, or that of its pieces
  std::size_t parameters = 0;
  std::vector<std::string> derivatives;  // in the equations
  int jet_channels = 0;                  // that the equations' derivatives take, combinations collapsed
  std::vector<Role> roles;               // by condition
  bool automatic_weights = true;
  /// Of a trained condition, where weights are not automatic.
  std::optional<double> weight(std::size_t condition) const;
  std::string weight_text(std::size_t condition) const;
  std::string weights_text() const;
};
/// Throws what training would throw at its start.
Understood understand(const Problem& problem);

std::string title_of(const Problem& problem);
/// Of left − right.
std::string residual_text(const Equation& equation);
/// As in the file; what an expression reads as where it was assembled in C++.
std::string written(const Equation& equation);
std::string written(const Condition& condition);
std::string range_text(const CoordinateRange& c, bool time);
std::string where_text(const Condition& condition);
/// "t = 0.5, x = 1".
std::string place_text(const Problem& problem, const std::vector<double>& place);
std::string stop_text(const StopOptions& stop);
/// "" where nothing is said.
std::string windows_text(const TrainingOptions& training);
std::string causal_text(const CausalOptions& causal);
std::string precision_text(Precision precision);
/// "float32, products 3xtf32" where they are not the ordinary ones.
std::string arithmetic_text(const TrainingOptions& training);
std::string activation_name(Activation activation);
std::string network_text(const Problem& problem);
/// Of an unknown without an output transform; the network with its defaults.
std::string size_text(const NetworkOptions& network, const std::string& unknown);
/// What moves, and how; empty without [lagrangian].
std::string lagrangian_text(const Problem& problem);
/// Where the domain is cut, and what holds between the pieces; empty where it is whole.
std::string interface_text(const Problem& problem);
std::vector<std::string> interface_condition_texts(const Problem& problem);
/// How far a second solution lies away, and how well that is known.
std::string comparison_text(const Comparison& comparison);
std::string points_text(const Problem& problem);
std::string phase_text(const PhaseOptions& phase);
std::string reference_text(const ReferenceOptions& reference);

}  // namespace sobolev::app
