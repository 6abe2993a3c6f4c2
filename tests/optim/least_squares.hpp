// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sums of squares of plain functions, for the tests of optimisers.
#include <functional>
#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/optim/objective.hpp"
#include "tests/support.hpp"

namespace sobolev::test {

/// L = Σ w r²; the function gives r and its Jacobian, row-major, at θ. Computed on the host, kept on E.
template <class T, class E>
class PlainLeastSquares : public LeastSquares<T, E> {
 public:
  struct Values {
    std::vector<double> r, jacobian;
  };
  using Function = std::function<Values(const std::vector<double>&)>;
  PlainLeastSquares(const E& on, std::size_t parameters, std::size_t size, Function f)
      : on_(on), p_(parameters), m_(size), f_(std::move(f)), weights(size, 1.0) {}

  std::size_t parameters() const override { return p_; }
  std::size_t size() const override { return m_; }
  double loss(View<const T, 1> theta) override { return loss_of(f_(fetch(theta)).r); }
  double loss_gradient(View<const T, 1> theta, View<T, 1> gradient) override {
    ++gradients;
    const Values v = f_(fetch(theta));
    std::vector<double> seed(m_);
    for (std::size_t i = 0; i < m_; ++i) seed[i] = 2 * weights[i] * v.r[i];
    put(times_transposed(v, seed), gradient);
    return loss_of(v.r);
  }
  void loss_gradient(View<const T, 1> theta, View<T, 1> gradient, View<double, 1> loss) override {
    const double value = loss_gradient(theta, gradient);
    upload<double, 1>(on_, View<const double, 1>(&value, 1), loss);
  }
  void residuals(View<const T, 1> theta, View<T, 1> r) override { put(f_(fetch(theta)).r, r); }
  void weigh(View<T, 1> r) override {
    std::vector<double> values = fetch(r);
    for (std::size_t i = 0; i < m_; ++i) values[i] *= weights[i];
    put(values, r);
  }
  void pull_back(View<const T, 1> theta, View<const T, 1> seed, View<T, 1> gradient) override {
    put(times_transposed(f_(fetch(theta)), fetch(seed)), gradient);
  }
  double normal_equations(View<const T, 1> theta, View<T, 2> matrix, View<T, 1> gradient,
                          View<T, 1> r) override {
    const Values v = f_(fetch(theta));
    if (r.size() > 0) put(v.r, r);
    std::vector<double> g(p_ * p_, 0.0), weighted(m_);
    for (std::size_t i = 0; i < m_; ++i) {
      weighted[i] = weights[i] * v.r[i];
      for (std::size_t a = 0; a < p_; ++a)
        for (std::size_t b = a; b < p_; ++b)
          g[a * p_ + b] += weights[i] * v.jacobian[i * p_ + a] * v.jacobian[i * p_ + b];
    }
    put(g, View<T, 1>(matrix.data(), p_ * p_));
    put(times_transposed(v, weighted), gradient);
    return loss_of(v.r);
  }

 private:
  std::vector<double> fetch(View<const T, 1> from) const {
    std::vector<T> host(from.size());
    download<T, 1>(on_, from, View<T, 1>(host.data(), host.size()));
    return {host.begin(), host.end()};
  }
  void put(const std::vector<double>& values, View<T, 1> to) const {
    const std::vector<T> host(values.begin(), values.end());
    upload<T, 1>(on_, View<const T, 1>(host.data(), host.size()), to);
  }
  double loss_of(const std::vector<double>& r) const {
    double sum = 0;
    for (std::size_t i = 0; i < m_; ++i) sum += weights[i] * r[i] * r[i];
    return sum;
  }
  std::vector<double> times_transposed(const Values& v, const std::vector<double>& seed) const {
    std::vector<double> out(p_, 0.0);
    for (std::size_t i = 0; i < m_; ++i)
      for (std::size_t a = 0; a < p_; ++a) out[a] += seed[i] * v.jacobian[i * p_ + a];
    return out;
  }
  const E& on_;
  std::size_t p_, m_;
  Function f_;

 public:
  std::vector<double> weights;
  int gradients = 0;  // calls of loss_gradient
};

/// (1 − x)² + 100 (y − x²)², the minimum 0 at (1, 1).
template <class T, class E>
PlainLeastSquares<T, E> rosenbrock(const E& on) {
  return {on, 2, 2, [](const std::vector<double>& t) {
            const double x = t[0], y = t[1];
            return typename PlainLeastSquares<T, E>::Values{{10 * (y - x * x), 1 - x}, {-20 * x, 10, -1, 0}};
          }};
}

/// |A θ − b|² with A : [12, 8] of rank 3 and b in its range: the minimum is 0.
template <class T, class E>
PlainLeastSquares<T, E> rank_deficient(const E& on) {
  std::vector<double> a(12 * 8), b(12, 0.0);
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t j = 0; j < 8; ++j) {
      for (int k = 1; k <= 3; ++k)
        a[i * 8 + j] +=
            std::cos(0.7 * double(k) * double(i)) * std::sin(0.3 + 0.9 * double(k) * double(j)) / k;
      b[i] += a[i * 8 + j] * (1 + 0.1 * double(j));
    }
  return {on, 8, 12, [a, b](const std::vector<double>& t) {
            typename PlainLeastSquares<T, E>::Values v{std::vector<double>(12), a};
            for (std::size_t i = 0; i < 12; ++i) {
              v.r[i] = -b[i];
              for (std::size_t j = 0; j < 8; ++j) v.r[i] += a[i * 8 + j] * t[j];
            }
            return v;
          }};
}

/// θ where E keeps it.
template <class T, class E>
class Parameters {
 public:
  Parameters(const E& on, const std::vector<double>& start) : on_(on), memory_(zeros<T>(on, start.size())) {
    set(start);
  }
  void set(const std::vector<double>& values) {
    const std::vector<T> host(values.begin(), values.end());
    upload<T, 1>(on_, View<const T, 1>(host.data(), host.size()), view());
  }
  View<T, 1> view() { return View<T, 1>(memory_.data(), memory_.size()); }
  std::vector<double> values() {
    std::vector<T> host(memory_.size());
    download<T, 1>(on_, view(), View<T, 1>(host.data(), host.size()));
    return {host.begin(), host.end()};
  }

 private:
  const E& on_;
  BufferOn<E, T> memory_;
};

}  // namespace sobolev::test
