// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/executor.hpp"
#include "sobolev/core/repeated.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/optim/optimizer.hpp"

namespace sobolev {

struct AdamOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double decay_factor = 1;  // of the learning rate, every so many iterations; of class Adam only
  long decay_every = 5000;
  long cosine = 0;  // of class Adam: instead, η (1 + cos(π t/cosine))/2, 0 from then on
  /// Of class Adam: instead, one cycle of so many iterations, t = 0 … one_cycle − 1. Along half a cosine from
  /// η/div up to η at t₁ = pct_start · one_cycle − 1, then along another down to η/(div · final_div) at the
  /// last one and from then on. Source: Smith & Topin 2018, "Super-convergence"; the standard values are
  /// those of MgNO (He, Liu & Xu 2024).
  long one_cycle = 0;
  double pct_start = 0.2, div = 2, final_div = 100;
  double weight_decay = 0;  // decoupled (AdamW)
};

/// One step of Adam, all arrays [P], in place:
///   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  θ ← θ − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)
/// after θ ← (1 − η λ) θ with the weight decay λ. `step` counts from 1.
/// Source: Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, "Decoupled weight decay regularization".
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

/// Adam on an objective; on a device an iteration is one CUDA graph.
template <class T, class E = Cpu>
class Adam final : public Optimizer<T, E> {
 public:
  Adam(const E&, std::size_t parameters, AdamOptions = {});

  Progression progression() const override { return Progression::wanders; }
  void iterate(Objective<T, E>& objective, View<T, 1> parameters) override;
  typename Optimizer<T, E>::Outcome outcome() const override;
  void changed() override { iteration_.forget(); }
  NamedArrays save() const override;
  void load(const NamedArrays& state) override;
  static void check(const NamedArrays& state, std::size_t parameters);
  View<T, 1> memory() override { return View<T, 1>(moments_.data(), 2 * p_); }
  void went_back(long iterations) override;

 private:
  static constexpr std::size_t clock_size = 4;
  double learning_rate() const;  // of the next iteration
  E executor_;
  std::size_t p_;
  AdamOptions options_;
  long done_ = 0;           // iterations
  BufferOn<E, T> moments_;  // m, v
  BufferOn<E, T> gradient_;
  BufferOn<E, double> loss_, clock_;
  double learning_rate_ = -1;  // that the clock has
  const T* parameters_ = nullptr;
  Repeated<E> iteration_;
};

}  // namespace sobolev
