// SPDX-License-Identifier: Apache-2.0
#include "src/data/vorticity.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sobolev::detail {
namespace {
constexpr double longest_stage = 0.125;  // after which the speed is looked at again
constexpr double reserve = 1.2;          // that it may grow by until then
}  // namespace

// −Δψ = w, v = (ψ_y, −ψ_x). With ∇·v = 0 the transport is the curl of ∇·(v vᵀ):
//   v·∇w = (∂xx − ∂yy)(v_x v_y) + ∂xy (v_y² − v_x²),
// two transforms there and two back.
Vorticity::Vorticity(int points, double nu, double forcing)
    : grid_({points, points}, {0, 0}, {1, 1}),
      x_(grid_.points()),
      y_(grid_.points()),
      other_(grid_.modes()),
      forcing_(0.5 * forcing, -0.5 * forcing),
      integrator_(linear(nu), [this](const Complex* w, double, Complex* out) { rate(w, out); }) {
  const double unit = 2 * std::numbers::pi;
  for (int k0 = -grid_.highest(0); k0 <= grid_.highest(0); ++k0)
    for (int k1 = 0; k1 <= grid_.highest(1); ++k1) {
      const double qx = unit * k0, qy = unit * k1, q2 = qx * qx + qy * qy;
      velocity_[0].push_back(q2 > 0 ? Complex(0, qy / q2) : Complex{});
      velocity_[1].push_back(q2 > 0 ? Complex(0, -qx / q2) : Complex{});
      product_.push_back(qx * qx - qy * qy);
      difference_.push_back(qx * qy);
    }
}

std::vector<Complex> Vorticity::linear(double nu) const {
  std::vector<Complex> out = grid_.derivative(2, 0);
  const std::vector<Complex> other = grid_.derivative(0, 2);
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = nu * (out[k] + other[k]);
  return out;
}

void Vorticity::rate(const Complex* w, Complex* out) {
  grid_.to_points(w, velocity_[0].data(), x_.data());
  grid_.to_points(w, velocity_[1].data(), y_.data());
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const double vx = x_[i], vy = y_[i];
    x_[i] = vx * vy;
    y_[i] = (vy - vx) * (vy + vx);
  }
  grid_.to_modes(x_.data(), out);
  grid_.to_modes(y_.data(), other_.data());
  // A derivative of second order is −q q'; the transport stands on the right with a minus sign.
  for (std::size_t k = 0; k < other_.size(); ++k) out[k] = product_[k] * out[k] + difference_[k] * other_[k];
  out[grid_.index(1, 1)] += forcing_;
}

double Vorticity::speed(const std::vector<Complex>& w) {
  grid_.to_points(w.data(), velocity_[0].data(), x_.data());
  grid_.to_points(w.data(), velocity_[1].data(), y_.data());
  double most = 0;
  for (std::size_t i = 0; i < x_.size(); ++i) most = std::max(most, std::abs(x_[i]) + std::abs(y_[i]));
  return most;
}

bool Vorticity::advance(std::vector<Complex>& w, double duration, double cfl, const std::atomic<bool>* stop) {
  const long stages = std::max(1L, long(std::ceil(duration / longest_stage - 1e-9)));
  const double span = duration / double(stages), cell = 1.0 / grid_.points(0);
  for (long stage = 0; stage < stages; ++stage) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return false;
    const double wanted = span * reserve * speed(w) / (cfl * cell);
    if (!std::isfinite(wanted)) return true;  // the values say so
    // Steps in powers of √2: few lengths, whose coefficients are kept.
    const double steps = std::exp2(std::ceil(2 * std::log2(std::max(wanted, 1.0))) / 2);
    const long count = long(std::ceil(steps - 1e-9));
    integrator_.advance(w, 0, span / double(count), count);
  }
  return true;
}

double Vorticity::half_square(const std::vector<Complex>& w, bool of_velocity) const {
  double sum = 0;
  for (int k0 = -grid_.highest(0); k0 <= grid_.highest(0); ++k0)
    for (int k1 = 0; k1 <= grid_.highest(1); ++k1) {
      const std::size_t k = grid_.index(k0, k1);
      const double factor = of_velocity ? std::norm(velocity_[0][k]) + std::norm(velocity_[1][k]) : 1;
      sum += (k1 == 0 ? 0.5 : 1) * factor * std::norm(w[k]);
    }
  return sum;
}

double Vorticity::energy(const std::vector<Complex>& w) const { return half_square(w, true); }
double Vorticity::enstrophy(const std::vector<Complex>& w) const { return half_square(w, false); }

std::size_t Vorticity::memory(std::size_t points) {
  // Modes are a tenth of a point's pairs: 2/3 by 1/3. Some ten lengths of steps with six coefficients each,
  // and 14 arrays.
  constexpr std::size_t arrays = 14 + 10 * 6, grids = 5;
  return points * points * (arrays * sizeof(Complex) * 2 / 9 + grids * sizeof(double));
}

}  // namespace sobolev::detail
