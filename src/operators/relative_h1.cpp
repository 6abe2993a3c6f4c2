// SPDX-License-Identifier: Apache-2.0
// Which parts of a relative H1 error follow each other, on either executor.
#include "sobolev/operators/relative_h1.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/operators/relative_h1_parts.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/spectral/truncated_transform.hpp"

namespace sobolev {
namespace detail {

template <class T, class E>
struct H1Plan {
  /// Coefficients along one axis of the fields, which are [B · before, n, after · C].
  struct Axis {
    TruncatedTransform<T, E> transform;
    std::size_t before, after;
    BufferOn<E, T> weight;
  };

  E executor;
  std::size_t points = 1, channels, batch;
  H1Axes axes;
  std::vector<Axis> fourier;
  BufferOn<E, T> error, modes;
  BufferOn<E, double> squares, factors;

  H1Plan(const E& e, const std::vector<std::size_t>& grid, std::size_t c, std::size_t most,
         const H1Options& options)
      : executor(e),
        channels(c),
        batch(most),
        error(zeros<T>(e, 0)),
        modes(zeros<T>(e, 0)),
        squares(zeros<double>(e, 2 * most)),
        factors(zeros<double>(e, most)) {
    require(!grid.empty() && grid.size() <= 3,
            [&] { return fmt::format("RelativeH1: a grid of {} axes; it has from 1 to 3", grid.size()); });
    for (const std::size_t n : grid) {
      require(n >= 1, "RelativeH1: a grid without points");
      points *= n;
    }
    const std::size_t skipped = 3 - grid.size();
    std::copy(grid.begin(), grid.end(), axes.grid.begin() + std::ptrdiff_t(skipped));
    axes.periodic = options.periodic;
    if (options.norm == H1Norm::differences) {
      for (std::size_t a = 0; a < grid.size(); ++a)
        axes.inverse[skipped + a] = double(options.periodic ? grid[a] : grid[a] - 1);
    } else {
      make_transforms(grid, options.frequencies);
    }
    error = zeros<T>(e, batch * points * channels);
  }

  void make_transforms(const std::vector<std::size_t>& grid, int frequencies) {
    std::size_t before = 1, most = 0;
    for (const std::size_t n : grid) {
      const std::size_t after = points / before / n;
      const int high = std::min(frequencies - 1, int(n / 2));
      if (high >= 1) {
        std::vector<T> weight;  // n |v|² is the share in the sum of squares, of k and −k
        for (int k = 1; k <= high; ++k)
          weight.push_back(T(double(n) * (std::size_t(2 * k) == n ? 1 : 2) * double(k) * double(k)));
        auto on_device = zeros<T>(executor, weight.size());
        upload<T, 1>(executor, View<const T, 1>(weight.data(), weight.size()),
                     View<T, 1>(on_device.data(), weight.size()));
        fourier.push_back({TruncatedTransform<T, E>(executor, {n}, {ModeRange{1, high}}), before, after,
                           std::move(on_device)});
        most = std::max(most, before * weight.size() * 2 * after * channels);
      }
      before *= n;
    }
    modes = zeros<T>(executor, batch * most);
  }

  /// squares ← ‖f‖²; with g its half gradient.
  void measure(View<const T, 3> f, View<double, 1> into, View<T, 3> g) {
    h1_squares<T>(executor, f, axes, into);
    if (g.size() > 0) h1_gradient<T>(executor, f, axes, g);
    for (Axis& axis : fourier) {
      const std::size_t rows = f.extent(0) * axis.before, n = axis.transform.points(),
                        columns = axis.after * channels;
      const View<T, 4> v(modes.data(), rows, axis.transform.mode_count(), std::size_t(2), columns);
      axis.transform.analyse(View<const T, 3>(f.data(), rows, n, columns), v);
      h1_mode_squares<T>(executor, v, View<const T, 1>(axis.weight.data(), axis.weight.size()), into);
      if (g.size() > 0) axis.transform.analyse_adjoint(v, View<T, 3>(g.data(), rows, n, columns), true);
    }
  }
};

}  // namespace detail

template <class T, class E>
RelativeH1<T, E>::RelativeH1(const E& executor, const std::vector<std::size_t>& grid, std::size_t channels,
                             std::size_t batch, const H1Options& options)
    : plan_(std::make_unique<detail::H1Plan<T, E>>(executor, grid, channels, batch, options)) {}
template <class T, class E>
RelativeH1<T, E>::RelativeH1(RelativeH1&&) noexcept = default;
template <class T, class E>
RelativeH1<T, E>& RelativeH1<T, E>::operator=(RelativeH1&&) noexcept = default;
template <class T, class E>
RelativeH1<T, E>::~RelativeH1() = default;

template <class T, class E>
void RelativeH1<T, E>::operator()(View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                                  View<const T, 3> target, View<double, 1> errors, View<double, 1> loss,
                                  View<T, 3> y_bar) {
  auto& p = *plan_;
  const std::size_t b = y.extent(0);
  require(
      b <= p.batch && y.extent(1) == p.points && y.extent(2) == p.channels && target.shape() == y.shape() &&
          scale.size() == offset.size() && (scale.size() == 0 || scale.size() == p.channels) &&
          errors.size() == b && loss.size() <= 1 && (y_bar.size() == 0 || y_bar.shape() == y.shape()),
      [&] {
        return fmt::format(
            "RelativeH1: y is [{}], the target [{}], the scale [{}], the offset [{}], the errors [{}] and "
            "the gradient [{}]; they must be [B, {}, {}] of at most {} samples, the same, [C], [C], [B] "
            "and [B, N, C]",
            fmt::join(y.shape(), ", "), fmt::join(target.shape(), ", "), scale.size(), offset.size(),
            errors.size(), fmt::join(y_bar.shape(), ", "), p.points, p.channels, p.batch);
      });
  const View<T, 3> e(p.error.data(), y.shape());
  detail::h1_residual<T>(p.executor, y, scale, offset, target, e);
  p.measure(target, View<double, 1>(p.squares.data() + b, b), View<T, 3>(nullptr, 0, 0, 0));
  p.measure(e, View<double, 1>(p.squares.data(), b), y_bar);
  const View<double, 1> factors(p.factors.data(), b);
  detail::h1_finish(p.executor, View<const double, 1>(p.squares.data(), 2 * b), errors, loss, factors);
  if (y_bar.size() > 0) detail::h1_scale<T>(p.executor, factors, scale, y_bar);
}

template class RelativeH1<float>;
template class RelativeH1<double>;
#if SOBOLEV_HAS_CUDA
template class RelativeH1<float, Cuda>;
template class RelativeH1<double, Cuda>;
#endif

}  // namespace sobolev
