// SPDX-License-Identifier: Apache-2.0
#pragma once
// How well fields satisfy equations on their grid, and the gradient (Li et al. 2021, "Physics-informed neural
// operator for learning partial differential equations"): derivatives by matrices along axes, residuals and
// their adjoints by tapes, then the transposed matrices.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/copy.hpp"
#include "sobolev/expression/tape.hpp"
#include "sobolev/operators/axis_product.hpp"
#include "sobolev/operators/channel_scale.hpp"
#include "sobolev/operators/field_copy.hpp"
#include "sobolev/operators/operator_model.hpp"
#include "sobolev/operators/relative_l2.hpp"
#include "src/operators/differentiation.hpp"
#include "src/operators/set_zero.hpp"

namespace sobolev::detail {

/// The loss of a batch of fields y, [B, N, C], which stand for u = s ⊙ y + m, channel by channel:
///   data · d + weight · Σ_e 1/B Σ_b (1/N Σ_n r_e(b, n)²)^½ + initial · 1/B Σ_b ‖u_b(first) − a_b‖/‖a_b‖
/// r_e is what equation e leaves, d the loss of the data, u(first) u where the first axis begins, a given
/// there.
template <class T, class E>
class PhysicsLoss {
 public:
  PhysicsLoss(const E& executor, const PhysicsOptions& physics, const std::vector<std::size_t>& grid,
              std::size_t batch, const ChannelNormaliser& outputs)
      : executor_(executor),
        physics_(physics),
        grid_(grid),
        batch_(batch),
        channels_(outputs.mean.size()),
        scale_(put(outputs.deviation)),
        offset_(put(outputs.mean)),
        data_(put({physics.data})),
        weight_(put({physics.weight})),
        initial_(put({physics.initial})),
        rms_(zeros<T>(executor, 1)),
        zero_(zeros<T>(executor, 1)),
        fields_(zeros<T>(executor, 0)),
        bars_(zeros<T>(executor, 0)),
        leaves_(zeros<T>(executor, 0)),
        leaf_bars_(zeros<T>(executor, 0)),
        residuals_(zeros<T>(executor, 0)),
        residual_bars_(zeros<T>(executor, 0)),
        none_(zeros<T>(executor, 0)),
        steps_{zeros<T>(executor, 0), zeros<T>(executor, 0)},
        losses_(zeros<double>(executor, physics.equations.size() + 2)),
        errors_(zeros<double>(executor, batch)) {
    for (const std::size_t n : grid) points_ *= n;
    require(physics.unknowns.size() == channels_, [&] {
      return fmt::format("[physics] has {} unknowns, the outputs have {} channels", physics.unknowns.size(),
                         channels_);
    });
    require(physics.axes.size() == grid.size(), [&] {
      return fmt::format("[physics] has {} coordinates; the outputs' grid [{}] has {} axes",
                         physics.axes.size(), fmt::join(grid, ", "), grid.size());
    });
    rms_ = put({1 / std::sqrt(double(points_))});
    std::vector<Expr> inputs, residuals;
    for (const auto& equation : physics.equations) residuals.push_back(equation.residual);
    for (const Expr leaf : fields_of(residuals)) {
      require(leaf->role == Role::unknown, [&] {
        return fmt::format(
            "[physics] contains {}, which jumps: a delta function would be dropped; smooth the jump",
            to_string(leaf, 200));
      });
      Leaf out;
      while (physics.unknowns[out.channel] != leaf->name) ++out.channel;
      for (const auto& [name, order] : leaf->derivative) {
        std::size_t axis = 0;
        while (physics.axes[axis].name != name) ++axis;
        out.steps.push_back(matrix(axis, order));
      }
      leaf_.push_back(std::move(out));
      inputs.push_back(leaf);
    }
    const std::vector<Expr> coordinates = coordinates_of(residuals);
    inputs.insert(inputs.end(), coordinates.begin(), coordinates.end());
    tape_ = compile(residuals, inputs);
    const std::size_t plane = batch * points_;
    fields_ = zeros<T>(executor, plane * channels_);
    bars_ = zeros<T>(executor, plane * channels_);
    const std::size_t planes = std::max(inputs.size(), channels_);  // the initial values pass through, too
    leaves_ = zeros<T>(executor, plane * planes);
    leaf_bars_ = zeros<T>(executor, plane * planes);
    residuals_ = zeros<T>(executor, plane * residuals.size());
    residual_bars_ = zeros<T>(executor, plane * residuals.size());
    none_ = zeros<T>(executor, plane);
    for (auto& step : steps_) step = zeros<T>(executor, plane);
    for (const Expr c : coordinates) coordinate_.push_back(axis_values(c->name));
    std::vector<Expr> terms;
    Expr sum = constant(0);
    for (std::size_t i = 0; i < physics.equations.size() + 2; ++i) {
      terms.push_back(coordinate(fmt::format("l{}", i)));
      sum = sum + constant(i == 0 ? physics.data : i == 1 ? physics.initial : physics.weight) * terms.back();
    }
    const Expr total[] = {sum};
    sum_ = compile(total, terms);
  }

  /// `loss` holds that of the data before and all of it afterwards; ȳ (none for no gradient) is weighted and
  /// added to likewise. initial : [B, N₀, C], u where the first axis begins, or empty.
  void add(View<const T, 3> y, View<const T, 3> initial, View<T, 3> y_bar, View<double, 1> loss) {
    const std::size_t b = y.extent(0), plane = b * points_, equations = physics_.equations.size();
    const bool gradient = y_bar.size() > 0;
    sobolev::copy<double, 1>(executor_, View<const double, 1>(loss.data(), 1), loss_at(0));
    if (gradient) scale_by(data_, View<T, 2>(y_bar.data(), y_bar.size(), 1));
    const View<T, 3> u(fields_.data(), b, points_, channels_), u_bar(bars_.data(), b, points_, channels_);
    channel_scale<T>(executor_, rows(y), vector(scale_), vector(offset_), rows(u));
    bool begun = false;  // u_bar holds something
    if (physics_.initial > 0 && initial.size() > 0) {
      const std::size_t first = points_ / grid_[0];
      const FieldBox whole{{1, grid_[0], first}, {0, 0, 0}, 0}, face{{1, 1, first}, {0, 0, 0}, 0};
      const Extents<3> box{1, 1, first};
      const View<T, 3> at(leaves_.data(), b, first, channels_),
          at_bar(leaf_bars_.data(), b, first, channels_);
      field_copy<T>(executor_, u, whole, at, face, box, channels_, false);
      relative_l2<T>(executor_, at, empty(), empty(), initial, View<double, 1>(errors_.data(), b), loss_at(1),
                     gradient ? at_bar : View<T, 3>(nullptr, 0, 0, 0));
      if (gradient) {
        scale_by(initial_, View<T, 2>(at_bar.data(), at_bar.size(), 1));
        clear_field(u_bar);
        field_copy<T>(executor_, at_bar, face, u_bar, whole, box, channels_, true);
        begun = true;
      }
    }
    if (equations > 0) {
      for (std::size_t i = 0; i < leaf_.size(); ++i) differentiate(leaf_[i], u, plane_of(leaves_, i, b));
      for (std::size_t i = 0; i < coordinate_.size(); ++i)
        field_copy<T>(executor_, View<const T, 3>(coordinate_[i].data(), 1, points_, 1), line(points_),
                      plane_of(leaves_, leaf_.size() + i, b), line(points_), {1, 1, points_}, 1, false);
      const std::size_t inputs = leaf_.size() + coordinate_.size();
      const View<const T, 2> x(leaves_.data(), inputs, plane);
      const View<T, 2> r(residuals_.data(), equations, plane), r_bar(residual_bars_.data(), equations, plane);
      tape_forward<T>(executor_, tape_, x, r);
      for (std::size_t e = 0; e < equations; ++e) {
        const View<T, 3> bar = plane_of(residual_bars_, e, b);
        relative_l2<T>(executor_, plane_of(residuals_, e, b), vector(rms_), vector(zero_),
                       View<const T, 3>(none_.data(), b, points_, 1), View<double, 1>(errors_.data(), b),
                       loss_at(2 + e), gradient ? bar : View<T, 3>(nullptr, 0, 0, 0));
      }
      if (gradient) {
        scale_by(weight_, View<T, 2>(r_bar.data(), r_bar.size(), 1));
        tape_reverse<T>(executor_, tape_, x, r_bar, r, View<T, 2>(leaf_bars_.data(), inputs, plane));
        if (!begun) clear_field(u_bar);
        begun = true;
        for (std::size_t i = 0; i < leaf_.size(); ++i)
          differentiate_adjoint(leaf_[i], plane_of(leaf_bars_, i, b), u_bar);
      }
    }
    if (gradient && begun) {
      channel_scale<T>(executor_, rows(View<const T, 3>(u_bar)), vector(scale_), empty(), rows(u_bar));
      const FieldBox whole = line(points_);
      field_copy<T>(executor_, u_bar, whole, y_bar, whole, {1, 1, points_}, channels_, true);
    }
    tape_forward<double>(executor_, sum_, View<const double, 2>(losses_.data(), equations + 2, 1),
                         View<double, 2>(loss.data(), 1, 1));
  }

 private:
  struct Matrix {
    std::size_t axis;
    int order;
    BufferOn<E, T> values, turned;
  };
  struct Leaf {
    std::size_t channel = 0;
    std::vector<std::size_t> steps;  // matrices, one after the other
  };

  BufferOn<E, T> put(const std::vector<double>& values) {
    const std::vector<T> host(values.begin(), values.end());
    auto to = zeros<T>(executor_, host.size());
    upload<T, 1>(executor_, View<const T, 1>(host.data(), host.size()), View<T, 1>(to.data(), host.size()));
    return to;
  }
  std::size_t matrix(std::size_t axis, int order) {
    for (std::size_t i = 0; i < matrices_.size(); ++i)
      if (matrices_[i].axis == axis && matrices_[i].order == order) return i;
    const std::size_t n = grid_[axis];
    const auto& a = physics_.axes[axis];
    const std::vector<double> values =
        differentiation_matrix({n, a.low, a.high, a.periodic}, order, physics_.order);
    std::vector<double> turned(n * n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < n; ++k) turned[k * n + i] = values[i * n + k];
    matrices_.push_back({axis, order, put(values), put(turned)});
    return matrices_.size() - 1;
  }
  BufferOn<E, T> axis_values(const std::string& name) {
    std::size_t axis = 0;
    while (physics_.axes[axis].name != name) ++axis;
    const auto& a = physics_.axes[axis];
    const double step = GridAxis{grid_[axis], a.low, a.high, a.periodic}.step();
    std::size_t behind = 1;
    for (std::size_t i = axis + 1; i < grid_.size(); ++i) behind *= grid_[i];
    std::vector<double> values(points_);
    for (std::size_t n = 0; n < points_; ++n) values[n] = a.low + step * double(n / behind % grid_[axis]);
    return put(values);
  }

  template <class S>
  static View<S, 2> rows(View<S, 3> f) {
    return View<S, 2>(f.data(), f.extent(0) * f.extent(1), f.extent(2));
  }
  static View<const T, 1> vector(const BufferOn<E, T>& b) { return View<const T, 1>(b.data(), b.size()); }
  static View<const T, 1> empty() { return View<const T, 1>(nullptr, 0); }
  static FieldBox line(std::size_t points) { return {{1, 1, points}, {0, 0, 0}, 0}; }
  View<double, 1> loss_at(std::size_t i) { return View<double, 1>(losses_.data() + i, 1); }
  /// Row i of an array [rows, B N], as a field of one channel.
  View<T, 3> plane_of(BufferOn<E, T>& buffer, std::size_t i, std::size_t b) {
    return View<T, 3>(buffer.data() + i * b * points_, b, points_, 1);
  }
  void scale_by(const BufferOn<E, T>& factor, View<T, 2> values) {
    channel_scale<T>(executor_, View<const T, 2>(values), vector(factor), empty(), values);
  }
  void clear_field(View<T, 3> v) { set_zero<T>(executor_, View<T, 1>(v.data(), v.size())); }

  void apply(const Matrix& m, bool turned, View<const T, 3> x, View<T, 3> y, bool add) {
    const std::size_t n = grid_[m.axis];
    std::size_t behind = 1;
    for (std::size_t i = m.axis + 1; i < grid_.size(); ++i) behind *= grid_[i];
    const std::size_t before = x.size() / (n * behind);
    const View<const T, 2> d(m.values.data(), n, n), t(m.turned.data(), n, n);
    axis_product<T>(executor_, turned ? t : d, turned ? d : t, View<const T, 3>(x.data(), before, n, behind),
                    View<T, 3>(y.data(), before, n, behind), add);
  }
  void differentiate(const Leaf& leaf, View<const T, 3> u, View<T, 3> to) {
    const std::size_t b = u.extent(0), last = leaf.steps.size();
    const View<T, 3> first = last == 0 ? to : View<T, 3>(steps_[0].data(), b, points_, 1);
    FieldBox from = line(points_);
    from.channel = leaf.channel;
    field_copy<T>(executor_, u, from, first, line(points_), {1, 1, points_}, 1, false);
    for (std::size_t i = 0; i < last; ++i)
      apply(matrices_[leaf.steps[i]], false, View<const T, 3>(steps_[i % 2].data(), b, points_, 1),
            i + 1 == last ? to : View<T, 3>(steps_[(i + 1) % 2].data(), b, points_, 1), false);
  }
  void differentiate_adjoint(const Leaf& leaf, View<T, 3> bar, View<T, 3> u_bar) {
    const std::size_t b = u_bar.extent(0);
    View<T, 3> now = bar;
    for (std::size_t i = leaf.steps.size(); i-- > 0;) {
      const View<T, 3> next(steps_[i % 2].data(), b, points_, 1);
      apply(matrices_[leaf.steps[i]], true, now, next, false);
      now = next;
    }
    FieldBox to = line(points_);
    to.channel = leaf.channel;
    field_copy<T>(executor_, now, line(points_), u_bar, to, {1, 1, points_}, 1, true);
  }

  E executor_;
  PhysicsOptions physics_;
  std::vector<std::size_t> grid_;
  std::size_t batch_, channels_, points_ = 1;
  BufferOn<E, T> scale_, offset_, data_, weight_, initial_, rms_, zero_;
  BufferOn<E, T> fields_, bars_, leaves_, leaf_bars_, residuals_, residual_bars_, none_;
  BufferOn<E, T> steps_[2];
  BufferOn<E, double> losses_, errors_;
  std::vector<Matrix> matrices_;
  std::vector<Leaf> leaf_;
  std::vector<BufferOn<E, T>> coordinate_;
  Tape tape_, sum_;
};

}  // namespace sobolev::detail
