// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the fused step has in common on all executors: ResidualObjective's members, which hand on to
// detail::ResidualObjectiveOn<T, E>, and the checks of their arguments.
#include <utility>
#include <vector>

#include "kernels/pinn/residual_view.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/profile.hpp"
#include "sobolev/pinn/residual_objective.hpp"

namespace sobolev {
namespace detail {
/// A point's mirrored copies under symmetries, itself first: the coordinates to negate (a bit each) and
/// the factor of its share.
struct MirroredCopy {
  unsigned mirror;
  double parity;
};
std::vector<MirroredCopy> mirrored_copies(const std::vector<Symmetry>& symmetry);

template <class T>
std::vector<FieldIndex<T>> field_indices(const ResidualGroup& group) {
  std::vector<FieldIndex<T>> fields;
  for (const FieldInput& f : group.fields) fields.push_back({f.output, f.channel, T(f.scale)});
  return fields;
}
/// x : [N, D] to columns : [D, N].
template <class T>
void copy_columns(View<const double, 2> x, T* columns) {
  const std::size_t n = x.extent(0), d = x.extent(1);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) columns[j * n + i] = T(x.data()[i * d + j]);
}

// All throw ArgumentError.
void check_network(const Network& network, const Features& features);
void check_group(const ResidualGroup& group, const Network& network, int coordinates);
void check_points(const Extents<2>& x, const Extents<2>& externals, std::size_t point_weights,
                  std::size_t coordinates, std::size_t external_count);
void check_weights(std::size_t given, std::size_t residuals);
void check_causal(const std::vector<std::size_t>& offsets, double epsilon, std::size_t points);
void check_parameters(std::size_t given, std::size_t parameters);
/// Of residuals or seeds.
void check_residuals(const Extents<2>& given, std::size_t residuals, std::size_t points);
void check_normal_equations(const Extents<2>& matrix, std::size_t gradient, std::size_t parameters);
void check_group_index(int group, std::size_t groups);

/// f(g, part [E, N] of group g) of the numbers [M] of an objective.
template <class S, class T, class E, class F>
void for_parts(const ResidualObjective<T, E>& objective, View<S, 1> all, const F& f) {
  require(all.size() == objective.size(), "residual objective: the residuals of all groups are needed");
  std::size_t at = 0;
  for (int g = 0; g < objective.groups(); ++g) {
    const std::size_t e = std::size_t(objective.equations(g)), n = objective.points(g);
    f(g, View<S, 2>(all.data() + at, e, n));
    at += e * n;
  }
}
}  // namespace detail

template <class T, class E>
ResidualObjective<T, E>::ResidualObjective(const E& executor, Network network, const Features& features,
                                           std::vector<Symmetry> symmetry)
    : impl_(std::make_unique<detail::ResidualObjectiveOn<T, E>>(executor, std::move(network), features,
                                                                std::move(symmetry))) {}
template <class T, class E>
ResidualObjective<T, E>::ResidualObjective(ResidualObjective&&) noexcept = default;
template <class T, class E>
ResidualObjective<T, E>& ResidualObjective<T, E>::operator=(ResidualObjective&&) noexcept = default;
template <class T, class E>
ResidualObjective<T, E>::~ResidualObjective() = default;

template <class T, class E>
int ResidualObjective<T, E>::add_group(ResidualGroup group) {
  return impl_->add_group(std::move(group));
}
template <class T, class E>
void ResidualObjective<T, E>::set_points(int group, View<const double, 2> x, View<const double, 2> externals,
                                         View<const double, 1> point_weights) {
  const profile::Range range(impl_->executor(), "residuals: set points");
  impl_->set_points(group, x, externals, point_weights);
}
template <class T, class E>
void ResidualObjective<T, E>::set_weights(int group, const std::vector<double>& weights) {
  impl_->set_weights(group, weights);
}
template <class T, class E>
void ResidualObjective<T, E>::set_causal(int group, std::vector<std::size_t> offsets, double epsilon) {
  impl_->set_causal(group, std::move(offsets), epsilon);
}
template <class T, class E>
const Network& ResidualObjective<T, E>::network() const {
  return impl_->network;
}
template <class T, class E>
int ResidualObjective<T, E>::groups() const {
  return int(impl_->groups.size());
}
template <class T, class E>
std::size_t ResidualObjective<T, E>::points(int group) const {
  return impl_->at(group).points;
}
template <class T, class E>
int ResidualObjective<T, E>::equations(int group) const {
  return int(impl_->at(group).weights.size());
}
template <class T, class E>
std::size_t ResidualObjective<T, E>::size() const {
  std::size_t n = 0;
  for (int g = 0; g < groups(); ++g) n += std::size_t(equations(g)) * points(g);
  return n;
}
template <class T, class E>
std::size_t ResidualObjective<T, E>::scratch_bytes() const {
  return impl_->scratch_bytes();
}
template <class T, class E>
double ResidualObjective<T, E>::loss(View<const T, 1> parameters) {
  const profile::Range range(impl_->executor(), "residuals: loss");
  return impl_->loss(parameters);
}
template <class T, class E>
double ResidualObjective<T, E>::loss_gradient(View<const T, 1> parameters, View<T, 1> gradient) {
  const profile::Range range(impl_->executor(), "residuals: loss and gradient");
  return impl_->loss_gradient(parameters, gradient);
}
template <class T, class E>
void ResidualObjective<T, E>::loss_gradient(View<const T, 1> parameters, View<T, 1> gradient,
                                            View<double, 1> loss) {
  const profile::Range range(impl_->executor(), "residuals: loss and gradient");
  require(loss.size() == 1, "residual objective: the loss is one number");
  impl_->loss_gradient(parameters, gradient, loss);
}
template <class T, class E>
void ResidualObjective<T, E>::residuals(int group, View<const T, 1> parameters, View<T, 2> r) {
  const profile::Range range(impl_->executor(), "residuals: residuals");
  impl_->residuals(group, parameters, r);
}
template <class T, class E>
void ResidualObjective<T, E>::residuals(View<const T, 1> parameters, View<T, 1> r) {
  detail::for_parts(*this, r, [&](int g, View<T, 2> part) {
    if (points(g) > 0) residuals(g, parameters, part);
  });
}
template <class T, class E>
void ResidualObjective<T, E>::weigh(View<T, 1> r) {
  detail::for_parts(*this, r, [&](int g, View<T, 2> part) { weigh(g, part); });
}
template <class T, class E>
void ResidualObjective<T, E>::pull_back(View<const T, 1> parameters, View<const T, 1> seed,
                                        View<T, 1> gradient) {
  seeds_.clear();
  detail::for_parts(*this, seed, [&](int, View<const T, 2> part) { seeds_.push_back(part); });
  pull_back(parameters, seeds_, gradient);
}
template <class T, class E>
void ResidualObjective<T, E>::pull_back(View<const T, 1> parameters,
                                        const std::vector<View<const T, 2>>& seeds, View<T, 1> gradient) {
  const profile::Range range(impl_->executor(), "residuals: pull-back");
  impl_->pull_back(parameters, seeds, gradient);
}
template <class T, class E>
void ResidualObjective<T, E>::weigh(int group, View<T, 2> r) {
  impl_->weigh(group, r);
}
template <class T, class E>
std::vector<std::vector<double>> ResidualObjective<T, E>::row_norms(View<const T, 1> parameters) {
  const profile::Range range(impl_->executor(), "residuals: row norms");
  return impl_->row_norms(parameters);
}
template <class T, class E>
double ResidualObjective<T, E>::normal_equations(View<const T, 1> parameters, View<T, 2> matrix,
                                                 View<T, 1> gradient, View<T, 1> r) {
  const profile::Range range(impl_->executor(), "residuals: normal equations");
  require(r.size() == 0 || r.size() == size(), "residual objective: the residuals of all groups are needed");
  return impl_->normal_equations(parameters, matrix, gradient, r);
}
template <class T, class E>
void ResidualObjective<T, E>::hold(bool held) {
  impl_->held = held;
}
template <class T, class E>
bool ResidualObjective<T, E>::adapts() const {
  for (int g = 0; g < groups(); ++g)
    if (impl_->at(g).causal) return true;
  return false;
}
template <class T, class E>
double ResidualObjective<T, E>::last_causal_weight(int group) const {
  return impl_->last_causal_weight(group);
}
template <class T, class E>
int ResidualObjective<T, E>::evaluated_slices(int group) const {
  return impl_->evaluated_slices(group);
}

}  // namespace sobolev
