// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which operations of a network of fields follow each other, on either executor; the arithmetic is in the
// kernels.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/copy.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/operators/basis_product.hpp"
#include "sobolev/operators/channel_scale.hpp"
#include "sobolev/operators/field_copy.hpp"
#include "sobolev/operators/field_network.hpp"
#include "sobolev/operators/group_norm.hpp"
#include "sobolev/spectral/mode_product.hpp"
#include "sobolev/spectral/truncated_transform.hpp"
#include "src/operators/field_geometry.hpp"
#include "src/operators/set_zero.hpp"

namespace sobolev {
namespace detail {

/// Fields of one network on one grid.
template <class T, class E>
struct FieldPlan {
  using Use = typename PlannedFieldNetwork<T, E>::Use;
  using Kind = FieldInstruction::Kind;
  struct Slot {
    std::vector<std::size_t> grid;
    std::size_t points = 1, channels = 0;
    int memory = -1;       // of the field; −1: the caller's
    bool query = false;    // the caller's points, not its field
    bool shared = false;   // the same for all samples
    bool trained = false;  // depends on parameters
    int last_reader = -1;  // the instruction
    int readers = 0;
    std::size_t rows(std::size_t batch) const { return (shared ? 1 : batch) * points; }
    std::size_t size(std::size_t batch) const { return rows(batch) * channels; }
  };

  E executor;
  FieldNetwork network;
  std::size_t batch;
  Use use;
  std::vector<Slot> slots;
  std::vector<BufferOn<E, T>> memory;  // of fields, shared where one is in the place of another
  std::vector<BufferOn<E, T>> slopes, coefficients, points;  // by instruction; points: coordinates
  std::vector<std::unique_ptr<TruncatedTransform<T, E>>> transforms;
  std::vector<std::unique_ptr<Convolution<T, E>>> convolutions;
  BufferOn<E, T> results, sums;                 // of a spectral layer's coefficients; of adjoints
  std::vector<BufferOn<E, double>> statistics;  // by instruction
  BufferOn<E, double> norm_sums;
  std::vector<BufferOn<E, T>> adjoints;
  std::vector<int> adjoint_of;  // by slot; −1 for none
  std::vector<bool> written;    // adjoints that already hold something
  View<const T, 3> input{nullptr, 0, 0, 0}, query{nullptr, 0, 0, 0};

  FieldPlan(const E& e, const FieldNetwork& n, const std::vector<std::size_t>& grid, std::size_t most, Use u,
            const QueryPoints& asked, bool input_adjoint)
      : executor(e),
        network(n),
        batch(most),
        use(u),
        results(zeros<T>(e, 0)),
        sums(zeros<T>(e, 0)),
        norm_sums(zeros<double>(e, 0)) {
    require(int(grid.size()) == n.axes(), [&] {
      return fmt::format("the network is one of fields on {} axes; the grid [{}] has {}", n.axes(),
                         fmt::join(grid, ", "), grid.size());
    });
    for (std::size_t g : grid) require(g >= 1, "a grid without points");
    slots.resize(std::size_t(n.slots()));
    slots[0].grid = grid;
    slots[0].trained = input_adjoint;  // something wants its adjoint
    const auto& steps = n.instructions();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const FieldInstruction& step = steps[i];
      Slot& out = slot(step.out);
      out.grid = slot(step.in).grid;
      out.shared = slot(step.in).shared;
      if (step.kind == Kind::query) {
        require(!asked.grid.empty(), "the network is one of points that are asked for, and none are");
        out.grid = asked.grid;
        out.shared = asked.shared;
        out.query = true;
      } else if (step.kind == Kind::flatten) {
        std::size_t count = 1;
        for (std::size_t g : out.grid) count *= g;
        require(count * step.inputs == step.outputs, [&] {
          return fmt::format("the network is one of fields at {} points; the grid [{}] has {}",
                             step.outputs / step.inputs, fmt::join(out.grid, ", "), count);
        });
        out.grid = {1};
      } else if (step.kind == Kind::basis) {
        require(!out.shared, "FieldNetwork: a branch that does not depend on the input");
        out.grid = slot(step.trunk).grid;
      }
      if (step.kind == Kind::convolve)
        for (std::size_t a = 0; a < out.grid.size(); ++a)
          out.grid[a] = step.convolution.transposed && step.like >= 0
                            ? slot(step.like).grid[a]
                            : convolved_points(out.grid[a], step.convolution);
      for (std::size_t a = 0; a < step.margin.size(); ++a) {
        if (step.kind == Kind::pad) {
          const Ends ends = ends_of(step.margin[a], out.grid[a]);
          out.grid[a] += ends.before + ends.after;
        } else {
          out.grid[a] = cropped(step.margin[a], out.grid[a]);
        }
      }
      if (step.added >= 0)
        require(slot(step.added).grid == out.grid && slot(step.added).shared == out.shared,
                "FieldNetwork: fields of different grids are added");
      out.trained = (slot(step.in).trained && step.kind != Kind::query) || step.kind == Kind::mix ||
                    step.kind == Kind::spectral || step.kind == Kind::scale || step.kind == Kind::basis ||
                    step.kind == Kind::convolve || step.kind == Kind::normalise;
      for (int s : reads(step))
        if (s >= 0) {
          slot(s).last_reader = int(i);
          ++slot(s).readers;
        }
    }
    for (std::size_t s = 0; s < slots.size(); ++s) {
      slots[s].channels = n.channels(int(s));
      for (std::size_t g : slots[s].grid) slots[s].points *= g;
    }
    place_fields();
    std::size_t most_coefficients = 0, most_sums = 0, most_norm_sums = 0;
    for (const FieldInstruction& step : steps) {
      const Slot &in = slot(step.in), &out = slot(step.out);
      std::size_t slope = 0, kept = 0, moments = 0;
      transforms.push_back(nullptr);
      convolutions.push_back(nullptr);
      points.push_back(zeros<T>(e, 0));
      if (step.kind == Kind::mix) {
        if (step.activation != FieldActivation::identity && use == Use::training) slope = out.size(batch);
        most_sums = std::max(most_sums, channel_mix_workspace(out.rows(batch), step.inputs, step.outputs));
      } else if (step.kind == Kind::normalise) {
        require(step.weights == step.outputs || step.weights == out.points * step.outputs, [&] {
          return fmt::format("a normalisation of the network has weights for {} points; the grid [{}] has {}",
                             step.weights / step.outputs, fmt::join(out.grid, ", "), out.points);
        });
        if (step.activation != FieldActivation::identity && use == Use::training) slope = out.size(batch);
        most_norm_sums = std::max(most_norm_sums, group_norm_workspace(batch, step.inputs));
        moments = batch * step.groups * 2;
      } else if (step.kind == Kind::convolve) {
        if (step.activation != FieldActivation::identity && use == Use::training) slope = out.size(batch);
        convolutions.back() = std::make_unique<Convolution<T, E>>(e, in.grid, step.convolution, step.inputs,
                                                                  step.outputs, out.grid);
      } else if (step.kind == Kind::scale) {
        most_sums = std::max(most_sums, channel_scale_workspace(out.rows(batch), step.inputs));
      } else if (step.kind == Kind::spectral) {
        transforms.back() = std::make_unique<TruncatedTransform<T, E>>(e, in.grid, step.modes);
        kept = batch * transforms.back()->mode_count() * 2 * step.inputs;
        most_coefficients = std::max(most_coefficients, batch * transforms.back()->mode_count() * 2 *
                                                            std::max(step.inputs, step.outputs));
      } else if (step.kind == Kind::coordinates) {
        const std::vector<T> values = coordinate_values<T>(step, in.grid);
        points.back() = zeros<T>(e, values.size());
        upload<T, 1>(e, View<const T, 1>(values.data(), values.size()),
                     View<T, 1>(points.back().data(), values.size()));
      }
      slopes.push_back(zeros<T>(e, slope));
      statistics.push_back(zeros<double>(e, moments));
      coefficients.push_back(zeros<T>(e, kept));
    }
    // A second one of coefficients is needed for the adjoint of a spectral layer.
    results = zeros<T>(e, 2 * most_coefficients);
    sums = zeros<T>(e, use == Use::training ? most_sums : 0);
    norm_sums = zeros<double>(e, use == Use::training ? most_norm_sums : 0);
    if (use == Use::training) place_adjoints();
  }

  Slot& slot(int s) { return slots[std::size_t(s)]; }

  /// Fields get memory; what a mix adds makes room for its result where nothing else reads it.
  void place_fields() {
    std::vector<int> free;
    const auto take = [&](std::size_t size) {
      const auto fits = std::find_if(free.begin(), free.end(),
                                     [&](int m) { return memory[std::size_t(m)].size() >= size; });
      if (fits != free.end()) {
        const int m = *fits;
        free.erase(fits);
        return m;
      }
      memory.push_back(zeros<T>(executor, size));
      return int(memory.size()) - 1;
    };
    const auto& steps = network.instructions();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      Slot& out = slot(steps[i].out);
      const int added = steps[i].added;
      if (out.query) continue;
      if (steps[i].kind == Kind::flatten && steps[i].in == 0) continue;  // the input's own memory
      const bool in_place = added > 0 && slot(added).readers == 1 && slot(added).memory >= 0;
      out.memory = in_place ? slot(added).memory : take(out.size(batch));
      if (use == Use::training) continue;
      for (int s : reads(steps[i]))
        if (s > 0 && slot(s).last_reader == int(i) && slot(s).memory >= 0 && slot(s).memory != out.memory &&
            std::find(free.begin(), free.end(), slot(s).memory) == free.end())
          free.push_back(slot(s).memory);
    }
  }

  /// Which adjoints are alive at once: those of a slot from its last reader to its own instruction.
  void place_adjoints() {
    adjoint_of.assign(slots.size(), -1);
    std::vector<bool> taken;
    const auto take = [&](int s) {
      const std::size_t size = slot(s).size(batch);
      for (std::size_t m = 0; m < taken.size(); ++m)
        if (!taken[m] && adjoints[m].size() >= size) {
          taken[m] = true;
          adjoint_of[std::size_t(s)] = int(m);
          return;
        }
      adjoints.push_back(zeros<T>(executor, size));
      taken.push_back(true);
      adjoint_of[std::size_t(s)] = int(adjoints.size()) - 1;
    };
    take(network.slots() - 1);
    const auto& steps = network.instructions();
    for (std::size_t i = steps.size(); i-- > 0;) {
      const int own = adjoint_of[std::size_t(steps[i].out)];
      if (own < 0) continue;
      bool passed_on = false;
      const int added = steps[i].added;
      if (added >= 0 && slot(added).trained && adjoint_of[std::size_t(added)] < 0) {
        adjoint_of[std::size_t(added)] = own;
        passed_on = true;
      }
      for (const int s : {steps[i].in, steps[i].trunk})
        if (s >= 0 && slot(s).trained && adjoint_of[std::size_t(s)] < 0) take(s);
      if (!passed_on) taken[std::size_t(own)] = false;
    }
  }

  template <class B>
  static View<T, 1> all(B& buffer) {
    return View<T, 1>(const_cast<T*>(buffer.data()), buffer.size());
  }
  View<T, 3> field(int s, std::size_t b) {
    Slot& at = slot(s);
    return View<T, 3>(const_cast<T*>(memory[std::size_t(at.memory)].data()), samples(s, b), at.points,
                      at.channels);
  }
  std::size_t samples(int s, std::size_t b) { return slot(s).shared ? 1 : b; }
  View<const T, 3> read(int s, std::size_t b) {
    if (slot(s).memory >= 0) return field(s, b);
    return View<const T, 3>((slot(s).query ? query : input).data(), samples(s, b), slot(s).points,
                            slot(s).channels);
  }
  View<T, 3> adjoint(int s, std::size_t b) {
    const int m = adjoint_of[std::size_t(s)];
    if (m < 0) return View<T, 3>(nullptr, 0, 0, 0);
    return View<T, 3>(const_cast<T*>(adjoints[std::size_t(m)].data()), samples(s, b), slot(s).points,
                      slot(s).channels);
  }
  template <class S>
  static View<S, 2> rows(View<S, 3> f) {
    return View<S, 2>(f.data(), f.extent(0) * f.extent(1), f.extent(2));
  }
  View<T, 2> slope_rows(std::size_t i, std::size_t n) {
    if (slopes[i].size() == 0) return View<T, 2>(nullptr, 0, 0);
    return View<T, 2>(const_cast<T*>(slopes[i].data()), n, network.instructions()[i].outputs);
  }
  View<T, 4> modes(BufferOn<E, T>& buffer, std::size_t at, std::size_t i, std::size_t b,
                   std::size_t channels) {
    return View<T, 4>(const_cast<T*>(buffer.data()) + at, b, transforms[i]->mode_count(), 2, channels);
  }
  static View<const T, 4> spectral_weight(const FieldInstruction& step, std::size_t modes,
                                          View<const T, 1> theta) {
    return View<const T, 4>(theta.data() + step.weight, modes, 2, step.inputs, step.outputs);
  }
  FieldBox box_in(int s) { return {three_axes(slot(s).grid), {0, 0, 0}, 0}; }
  /// Where the smaller of the two fields of a pad or crop lies in the larger one.
  FieldBox margin_in(const FieldInstruction& step, int small, int large) {
    FieldBox box = box_in(large);
    const std::size_t d = step.margin.size();
    for (std::size_t a = 0; a < d; ++a)
      box.first[3 - d + a] = ends_of(step.margin[a], slot(small).grid[a]).before;
    return box;
  }

  template <class S>
  static View<S, 1> bias_of(const FieldInstruction& step, View<S, 1> theta) {
    return View<S, 1>(step.bias ? theta.data() + *step.bias : nullptr, step.bias ? step.outputs : 0);
  }
  View<const T, 1> convolution_weight(std::size_t i, View<const T, 1> theta) {
    return View<const T, 1>(theta.data() + network.instructions()[i].weight, convolutions[i]->weights());
  }
  template <class S>
  static View<S, 1> norm_weight(const FieldInstruction& step, View<S, 1> theta, std::size_t at) {
    return View<S, 1>(theta.data() + at, step.weights);
  }
  View<double, 3> statistics_of(std::size_t i, std::size_t b) {
    return View<double, 3>(const_cast<double*>(statistics[i].data()), b, network.instructions()[i].groups, 2);
  }
  View<T, 3> slope_field(std::size_t i, std::size_t b) {
    if (slopes[i].size() == 0) return View<T, 3>(nullptr, 0, 0, 0);
    const Slot& out = slot(network.instructions()[i].out);
    return View<T, 3>(const_cast<T*>(slopes[i].data()), b, out.points, out.channels);
  }
  /// What was added gets the adjoint of its sum.
  void add_to_added(const FieldInstruction& step, View<T, 3> y_bar, std::size_t b) {
    if (step.added < 0 || adjoint_of[std::size_t(step.added)] < 0) return;
    const View<T, 3> added = adjoint(step.added, b);
    if (added.data() != y_bar.data())
      field_copy<T>(executor, y_bar, box_in(step.out), added, box_in(step.out),
                    three_axes(slot(step.out).grid), step.outputs, written[std::size_t(step.added)]);
    written[std::size_t(step.added)] = true;
  }

  void forward(std::size_t i, View<const T, 1> theta, std::size_t b) {
    const FieldInstruction& step = network.instructions()[i];
    if (slot(step.out).memory < 0) return;  // the caller's
    const View<const T, 3> x = read(step.in, b);
    const View<T, 3> y = field(step.out, b);
    const Extents<3> grid = three_axes(slot(step.in).grid);
    switch (step.kind) {
      case Kind::coordinates: {
        const std::size_t d = slot(step.in).grid.size();
        field_copy<T>(executor, x, {grid}, y, {grid}, grid, step.inputs, false);
        field_copy<T>(executor, View<const T, 3>(points[i].data(), 1, slot(step.in).points, d), {grid}, y,
                      {grid, {0, 0, 0}, step.inputs}, grid, d, false);
        return;
      }
      case Kind::mix: {
        const View<const T, 1> bias = bias_of(step, theta);
        const View<const T, 2> added =
            step.added >= 0 ? rows<const T>(read(step.added, b)) : View<const T, 2>(nullptr, 0, 0);
        channel_mix<T>(executor, step.activation, rows<const T>(x),
                       View<const T, 2>(theta.data() + step.weight, step.inputs, step.outputs), bias, added,
                       rows(y), slope_rows(i, slot(step.out).rows(b)));
        return;
      }
      case Kind::spectral: {
        const View<T, 4> v = modes(coefficients[i], 0, i, b, step.inputs),
                         w = modes(results, 0, i, b, step.outputs);
        transforms[i]->analyse(x, v);
        mode_product<T>(executor, v, spectral_weight(step, transforms[i]->mode_count(), theta), w);
        transforms[i]->synthesise(w, y);
        return;
      }
      case Kind::convolve:
        convolutions[i]->forward(step.activation, x, convolution_weight(i, theta), bias_of(step, theta),
                                 step.added >= 0 ? read(step.added, b) : View<const T, 3>(nullptr, 0, 0, 0),
                                 y, slope_field(i, b));
        return;
      case Kind::normalise:
        group_norm<T>(executor, step.activation, x, norm_weight(step, theta, step.weight),
                      norm_weight(step, theta, *step.bias), y, statistics_of(i, b), slope_field(i, b));
        return;
      case Kind::scale:
        channel_scale<T>(executor, rows<const T>(x),
                         View<const T, 1>(theta.data() + step.weight, step.inputs),
                         View<const T, 1>(nullptr, 0), rows(y));
        return;
      case Kind::pad:
        set_zero(executor, View<T, 1>(y.data(), y.size()));
        field_copy<T>(executor, x, {grid}, y, margin_in(step, step.in, step.out), grid, step.inputs, false);
        return;
      case Kind::crop: {
        const Extents<3> inner = three_axes(slot(step.out).grid);
        field_copy<T>(executor, x, margin_in(step, step.out, step.in), y, {inner}, inner, step.inputs, false);
        return;
      }
      case Kind::query: return;
      case Kind::flatten:
        field_copy<T>(executor, x, {grid}, View<T, 3>(y.data(), x.extent(0), x.extent(1), x.extent(2)),
                      {grid}, grid, step.inputs, false);
        return;
      case Kind::basis:
        basis_product<T>(executor, rows<const T>(x), read(step.trunk, b),
                         View<const T, 1>(theta.data() + *step.bias, step.outputs), y);
        return;
    }
  }

  void backward(std::size_t i, View<const T, 1> theta, View<T, 1> gradient, std::size_t b) {
    const FieldInstruction& step = network.instructions()[i];
    if (adjoint_of[std::size_t(step.out)] < 0) return;
    const View<const T, 3> x = read(step.in, b);
    const View<T, 3> y_bar = adjoint(step.out, b), x_bar = adjoint(step.in, b);
    const bool wanted = x_bar.size() > 0, add = written[std::size_t(step.in)];
    const Extents<3> grid = three_axes(slot(step.in).grid);
    const View<T, 2> x_bar_rows = wanted ? rows(x_bar) : View<T, 2>(nullptr, 0, 0);
    switch (step.kind) {
      case Kind::coordinates:
        if (wanted) field_copy<T>(executor, y_bar, {grid}, x_bar, {grid}, grid, step.inputs, add);
        break;
      case Kind::mix: {
        const View<T, 1> bias_bar = bias_of(step, gradient);
        channel_mix_adjoint<T>(executor, rows<const T>(x),
                               View<const T, 2>(theta.data() + step.weight, step.inputs, step.outputs),
                               slope_rows(i, slot(step.out).rows(b)), rows(y_bar), x_bar_rows, add,
                               View<T, 2>(gradient.data() + step.weight, step.inputs, step.outputs), bias_bar,
                               all(sums));
        add_to_added(step, y_bar, b);
        break;
      }
      case Kind::spectral: {
        const std::size_t m = transforms[i]->mode_count(), half = results.size() / 2;
        const View<T, 4> v = modes(coefficients[i], 0, i, b, step.inputs),
                         w_bar = modes(results, 0, i, b, step.outputs),
                         v_bar = modes(results, half, i, b, step.inputs);
        transforms[i]->synthesise_adjoint(y_bar, w_bar);
        mode_product_weight_adjoint<T>(
            executor, v, w_bar, View<T, 4>(gradient.data() + step.weight, m, 2, step.inputs, step.outputs));
        if (!wanted) break;
        mode_product_input_adjoint<T>(executor, w_bar, spectral_weight(step, m, theta), v_bar);
        transforms[i]->analyse_adjoint(v_bar, x_bar, add);
        break;
      }
      case Kind::convolve: {
        const View<T, 1> weight_bar(gradient.data() + step.weight, convolutions[i]->weights());
        convolutions[i]->adjoint(x, convolution_weight(i, theta), slope_field(i, b), y_bar, x_bar, add,
                                 weight_bar, bias_of(step, gradient));
        add_to_added(step, y_bar, b);
        break;
      }
      case Kind::normalise:
        group_norm_adjoint<T>(executor, x, norm_weight(step, theta, step.weight),
                              View<const double, 3>(statistics_of(i, b)), View<const T, 3>(slope_field(i, b)),
                              y_bar, x_bar, add, norm_weight(step, gradient, step.weight),
                              norm_weight(step, gradient, *step.bias),
                              View<double, 1>(const_cast<double*>(norm_sums.data()), norm_sums.size()));
        break;
      case Kind::scale:
        channel_scale_adjoint<T>(
            executor, rows<const T>(x), View<const T, 1>(theta.data() + step.weight, step.inputs),
            rows<const T>(y_bar), x_bar_rows, add, View<T, 1>(gradient.data() + step.weight, step.inputs),
            View<T, 1>(nullptr, 0), all(sums));
        break;
      case Kind::pad:
        if (wanted)
          field_copy<T>(executor, y_bar, margin_in(step, step.in, step.out), x_bar, {grid}, grid, step.inputs,
                        add);
        break;
      case Kind::crop: {
        if (!wanted) break;
        const Extents<3> inner = three_axes(slot(step.out).grid);
        if (!add) set_zero(executor, View<T, 1>(x_bar.data(), x_bar.size()));
        field_copy<T>(executor, y_bar, {inner}, x_bar, margin_in(step, step.out, step.in), inner, step.inputs,
                      true);
        break;
      }
      case Kind::query: break;
      case Kind::flatten:
        if (wanted)
          field_copy<T>(executor,
                        View<const T, 3>(y_bar.data(), x_bar.extent(0), x_bar.extent(1), x_bar.extent(2)),
                        {grid}, x_bar, {grid}, grid, step.inputs, add);
        break;
      case Kind::basis: {
        const View<T, 3> trunk_bar = adjoint(step.trunk, b);
        basis_product_adjoint<T>(executor, rows<const T>(x), read(step.trunk, b), y_bar, x_bar_rows, add,
                                 trunk_bar, written[std::size_t(step.trunk)],
                                 View<T, 1>(gradient.data() + *step.bias, step.outputs));
        written[std::size_t(step.trunk)] = true;
        break;
      }
    }
    if (wanted) written[std::size_t(step.in)] = true;
  }

  std::size_t bytes() const {
    std::size_t numbers = results.size() + sums.size();
    for (const auto* list : {&memory, &slopes, &coefficients, &points, &adjoints})
      for (const auto& buffer : *list) numbers += buffer.size();
    std::size_t doubles = norm_sums.size();
    for (const auto& buffer : statistics) doubles += buffer.size();
    return numbers * sizeof(T) + doubles * sizeof(double);
  }
};

}  // namespace detail
}  // namespace sobolev
