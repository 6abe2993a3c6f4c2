// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

struct AdamOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

/// One step of Adam, all arrays [P], in place:
///   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  θ ← θ − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)
/// `step` counts from 1. Source: Kingma & Ba 2015, algorithm 1.
template <class T>
void adam_step(const Cpu&, const AdamOptions&, long step, View<const T, 1> gradient, View<T, 1> m,
               View<T, 1> v, View<T, 1> parameters);
template <class T>
void adam_step(const Cuda&, const AdamOptions&, long step, View<const T, 1> gradient, View<T, 1> m,
               View<T, 1> v, View<T, 1> parameters);

/// The same with what changes from step to step in the executor's memory, so that a device's steps can be
/// recorded in a CudaGraph. clock : [4], {steps done, learning rate, two places for the call}; the number of
/// steps is counted up, the options' learning rate is not read.
template <class T>
void adam_step(const Cpu&, const AdamOptions&, View<double, 1> clock, View<const T, 1> gradient, View<T, 1> m,
               View<T, 1> v, View<T, 1> parameters);
template <class T>
void adam_step(const Cuda&, const AdamOptions&, View<double, 1> clock, View<const T, 1> gradient,
               View<T, 1> m, View<T, 1> v, View<T, 1> parameters);

}  // namespace sobolev
