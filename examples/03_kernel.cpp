// SPDX-License-Identifier: Apache-2.0
// Example 03: a kernel on the caller's own buffers: u, u_x and u_xx of a network, and the gradient of
// F = Σ (u_xx + u)² with respect to its parameters, without any trainer around it.
//
// A JetSpec says which derivatives are carried; the network's input is a jet too: x itself has the
// channels {x, 1, 0}. Channels hold Taylor coefficients, so u_xx is twice the last channel.
//
// Expect: gradient agrees with a finite difference
#include <cmath>
#include <cstdio>
#include <vector>

#include "sobolev/network/network.hpp"

using namespace sobolev;

int main() {
  MultiIndex xx;
  xx.order[0] = 2;
  const JetSpec spec = JetSpec::closure(1, std::vector<MultiIndex>{xx});  // {1, x, xx}: K = 3
  const Network network = mlp(1, 1, 2, 16);                               // inputs, outputs, depth, width
  const std::size_t n = 1000, k = std::size_t(spec.channels()), p = network.parameters();

  std::vector<double> theta(p), x(k * n), y(k * n), y_bar(k * n), gradient(p);
  for (std::size_t i = 0; i < p; ++i) theta[i] = std::sin(double(7 * i + 1)) / 2;
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = 2 * double(i) / double(n) - 1;  // channel 0
    x[n + i] = 1;                          // channel 1: dx/dx
  }
  const Cpu cpu;
  const auto forward = [&] {
    network_forward<double>(cpu, network, spec, View<const double, 1>(theta.data(), p),
                            View<const double, 3>(x.data(), k, 1, n), View<double, 3>(y.data(), k, 1, n));
    double f = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double r = 2 * y[2 * n + i] + y[i];
      f += r * r;
      y_bar[i] = 2 * r;          // ∂F/∂(channel 0)
      y_bar[2 * n + i] = 4 * r;  // ∂F/∂(channel 2)
    }
    return f;
  };
  const double f = forward();
  network_backward<double>(cpu, network, spec, View<const double, 1>(theta.data(), p),
                           View<const double, 3>(x.data(), k, 1, n),
                           View<const double, 3>(y_bar.data(), k, 1, n), View<double, 1>(gradient.data(), p));

  const std::size_t some = p / 2;
  const double h = 1e-6, at = theta[some];
  theta[some] = at + h;
  const double above = forward();
  theta[some] = at - h;
  const double below = forward(), difference = (above - below) / (2 * h);
  std::printf("F = %.6f, dF/dθ[%zu] = %.8f by the kernel, %.8f by a finite difference\n", f, some,
              gradient[some], difference);
  std::printf("gradient %s with a finite difference\n",
              std::abs(gradient[some] - difference) < 1e-5 * (1 + std::abs(difference)) ? "agrees"
                                                                                        : "does not agree");
}
