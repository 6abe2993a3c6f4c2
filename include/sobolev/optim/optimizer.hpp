// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <vector>

#include "sobolev/optim/objective.hpp"

namespace sobolev {

/// The state of an optimiser by name, for checkpoints.
using NamedArrays = std::map<std::string, std::vector<double>>;

/// What the loss of an iteration tells.
enum class Progression {
  wanders,  // the loss before each iteration; it may rise, and the result may be no number
  descends  // the loss after each iteration, which never leaves θ worse than it was
};

/// Changes θ step by step so that L(θ) falls. E is the executor of θ's memory.
template <class T, class E = Cpu>
class Optimizer {
 public:
  struct Outcome {
    double loss = 0;
    bool stuck = false;  // no step was found that lowers the loss: on an unchanged objective none will be
  };
  virtual ~Optimizer() = default;

  virtual Progression progression() const = 0;
  /// One iteration. θ : [P], the same memory in each call; on a device it need not wait. Where the loss is
  /// not finite, one that descends leaves θ alone.
  virtual void iterate(Objective<T, E>& objective, View<T, 1> parameters) = 0;
  /// Of the last iteration; waits for it.
  virtual Outcome outcome() const = 0;
  /// The objective is another function than at the last iteration, or θ was changed by others.
  virtual void changed() = 0;

  /// All that another optimiser of the same options needs to go on to the same bits.
  virtual NamedArrays save() const = 0;
  /// ArgumentError where it does not fit (each has a `check` that needs no optimiser); empty: the start.
  virtual void load(const NamedArrays& state) = 0;

  /// Of those that wander: what a training must restore, beside θ, to go back to an earlier iteration.
  virtual View<T, 1> memory() { return View<T, 1>(nullptr, 0); }
  /// The memory is as it was after so many iterations.
  virtual void went_back(long iterations) { static_cast<void>(iterations); }
};

}  // namespace sobolev
