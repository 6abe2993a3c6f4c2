// SPDX-License-Identifier: Apache-2.0
#pragma once
// Adam on the loss of a fused step: its parameters and moments where the step runs.
#include <optional>
#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/copy.hpp"
#include "sobolev/core/profile.hpp"
#include "sobolev/optim/adam.hpp"
#include "sobolev/pinn/step.hpp"

namespace sobolev::detail {

/// Host doubles to numbers of an executor, and back.
template <class T, class E>
void bring(const E& executor, const double* from, View<T, 1> to) {
  const std::vector<T> host(from, from + to.size());
  upload<T, 1>(executor, View<const T, 1>(host.data(), host.size()), to);
}
template <class T, class E>
void fetch(const E& executor, View<const T, 1> from, double* to) {
  std::vector<T> host(from.size());
  download<T, 1>(executor, from, View<T, 1>(host.data(), host.size()));
  std::copy(host.begin(), host.end(), to);
}

/// Work that is done over and over: on a device recorded at its second time and launched from then on.
template <class E>
class Repeated;
template <>
class Repeated<Cpu> {
 public:
  template <class F>
  void run(const Cpu&, F&& work) {
    work();
  }
  /// The work is another one from here on.
  void forget() {}
};
#if SOBOLEV_HAS_CUDA
template <>
class Repeated<Cuda> {
 public:
  template <class F>
  void run(const Cuda& cuda, F&& work) {
    // The first time it may take memory; a graph has no operations that a profile could tell apart.
    if (!known_ || profile::enabled()) {
      known_ = true;
      return work();
    }
    if (!graph_) graph_.emplace(cuda, work);
    graph_->launch();
  }
  void forget() {
    known_ = false;
    graph_.reset();
  }

 private:
  bool known_ = false;
  std::optional<CudaGraph> graph_;
};
#endif

template <class T, class E>
class AdamLoop {
 public:
  /// moments: m then v, or empty: zero. `done`: iterations that they come from.
  AdamLoop(const E& executor, FusedStep<T, E>& step, const std::vector<double>& parameters,
           const std::vector<double>& moments, long done)
      : executor_(executor),
        step_(step),
        p_(parameters.size()),
        done_(done),
        state_(zeros<T>(executor, 3 * p_)),
        gradient_(zeros<T>(executor, p_)),
        loss_(zeros<double>(executor, 1)),
        clock_(zeros<double>(executor, clock_size)) {
    bring<T>(executor_, parameters.data(), theta());
    if (moments.size() == 2 * p_) bring<T>(executor_, moments.data(), moments_view());
  }

  void fetch(std::vector<double>& parameters, std::vector<double>& moments) const {
    moments.resize(2 * p_);
    detail::fetch<T>(executor_, View<const T, 1>(state_.data(), p_), parameters.data());
    detail::fetch<T>(executor_, View<const T, 1>(state_.data() + p_, 2 * p_), moments.data());
  }

  /// Parameters, moments and the number of iterations at some time, kept where they are.
  struct Snapshot {
    BufferOn<E, T> state;
    long done;
  };
  Snapshot snapshot() const {
    Snapshot s{zeros<T>(executor_, state_.size()), done_};
    take(s);
    return s;
  }
  void take(Snapshot& s) const {
    copy<T, 1>(executor_, View<const T, 1>(state_.data(), state_.size()),
               View<T, 1>(s.state.data(), state_.size()));
    s.done = done_;
  }
  void go_back(const Snapshot& s) {
    copy<T, 1>(executor_, View<const T, 1>(s.state.data(), state_.size()),
               View<T, 1>(state_.data(), state_.size()));
    done_ = s.done;
    learning_rate_ = -1;  // the clock is set anew
  }

  void iterate(double learning_rate) {
    const profile::Range range(executor_, "Adam: iteration");
    const View<double, 1> clock(clock_.data(), clock_size);
    if (learning_rate != learning_rate_) {
      const double now[clock_size] = {double(done_), learning_rate};
      upload<double, 1>(executor_, View<const double, 1>(now, clock_size), clock);
      learning_rate_ = learning_rate;
    }
    iteration_.run(executor_, [&] {
      step_.loss_gradient(theta(), gradient(), View<double, 1>(loss_.data(), 1));
      adam_step<T>(executor_, {}, clock, gradient(), m(), v(), theta());
    });
    ++done_;
  }
  /// Points, slices or weights of the step are others than at the last iteration.
  void points_changed() { iteration_.forget(); }

  /// Of the parameters as they are now.
  double loss_now() {
    const double loss = step_.loss(theta());
    points_changed();  // what it wrote is not what a recorded iteration left
    return loss;
  }
  /// Before the last iteration; waits for it.
  double loss() const {
    double value = 0;
    download<double, 1>(executor_, View<const double, 1>(loss_.data(), 1), View<double, 1>(&value, 1));
    return value;
  }

 private:
  View<T, 1> theta() { return View<T, 1>(state_.data(), p_); }
  View<T, 1> gradient() { return View<T, 1>(gradient_.data(), p_); }
  View<T, 1> m() { return View<T, 1>(state_.data() + p_, p_); }
  View<T, 1> v() { return View<T, 1>(state_.data() + 2 * p_, p_); }
  View<T, 1> moments_view() { return View<T, 1>(state_.data() + p_, 2 * p_); }

  static constexpr std::size_t clock_size = 4;
  E executor_;
  FusedStep<T, E>& step_;
  std::size_t p_;
  long done_;
  BufferOn<E, T> state_;  // parameters, m, v
  BufferOn<E, T> gradient_;
  BufferOn<E, double> loss_, clock_;
  double learning_rate_ = -1;
  Repeated<E> iteration_;
};

}  // namespace sobolev::detail
