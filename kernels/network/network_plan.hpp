// SPDX-License-Identifier: Apache-2.0
#pragma once
// A network's instructions with what every back end needs for the way back: the slots' adjoints share as few
// buffers as their lifetimes allow, and the shares of a slot's adjoint are added up where several
// instructions read it. Host code builds it once.
#include <cstdint>
#include <vector>

#include "sobolev/network/network.hpp"

namespace sobolev::detail {

/// log σ of Gaussians, no less than where powers of 1/σ would overflow.
template <class T>
constexpr T bounded_log_width(T log_width) {
  constexpr T least = sizeof(T) == 4 ? T(-12) : T(-60);
  return log_width < least ? least : log_width;
}

/// a of Gaussians of full covariance, no more than where squares of (a/σ)² would overflow.
template <class T>
constexpr T bounded_shear(T a) {
  constexpr T most = sizeof(T) == 4 ? T(2000) : T(1e10);
  return a > most ? most : a < -most ? -most : a;
}

/// One instruction. The adjoint of slot in[i] is written when bit i of `adds` is clear, else added to; bit i
/// of `completes` says that no share of it is missing then. Both are clear for the inputs, slot 0, which have
/// no adjoint.
struct NetworkStep {
  Instruction::Kind kind;
  Activation activation;
  std::uint8_t adds, completes;
  int in[3], out;
  int fan_in, fan_out;
  std::size_t weight, bias;  // in the flat parameters; of Gaussians μ and log σ
  std::size_t factor;        // s, or 0: W is what lies there
  int shears;                // of each Gaussian of full covariance; a follows log σ
};

struct NetworkSlot {
  int features;
  int adjoint;     // its buffer, −1: none
  bool activated;  // y = σ(z), of a dense layer or Gaussians: its adjoint becomes z's once it is complete
  Activation activation;  // of that layer
  bool summed;            // Gaussians that one output of the network reads, and nothing else
};

struct NetworkPlan {
  explicit NetworkPlan(const Network&);
  std::vector<NetworkStep> steps;
  std::vector<NetworkSlot> slots;
  std::vector<int> adjoint_features;  // of each buffer, the most that it holds
  int outputs, width;                 // width: the largest number of features of a slot but the inputs
  std::size_t parameters;
};

}  // namespace sobolev::detail
