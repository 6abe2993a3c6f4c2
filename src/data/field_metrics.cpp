// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/field_metrics.hpp"

#include <fftw3.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <utility>

#include "sobolev/core/buffer.hpp"
#include "sobolev/core/error.hpp"
#include "src/data/spectral_grid.hpp"

namespace sobolev {
namespace {
using detail::Complex;

constexpr std::size_t low_shells = 4, middle_shells = 12;  // the bands begin at 0, 4 and 12
constexpr double variance_floor = 1e-7;

/// A transform of real numbers on a grid, with its arrays.
class RealTransform {
 public:
  explicit RealTransform(const std::vector<std::size_t>& points) : last_(points.back() / 2 + 1) {
    std::vector<int> extents(points.begin(), points.end());
    std::size_t size = 1, rows = 1;
    for (const std::size_t n : points) size *= n;
    for (std::size_t axis = 0; axis + 1 < points.size(); ++axis) rows *= points[axis];
    values = Buffer<double>(size);
    modes = Buffer<Complex>(rows * last_);
    const std::lock_guard lock(detail::fftw_planner());
    plan_ = fftw_plan_dft_r2c(int(extents.size()), extents.data(), values.data(),
                              reinterpret_cast<fftw_complex*>(modes.data()), FFTW_ESTIMATE);
    ensure(plan_ != nullptr, "FFTW made no plan");
  }
  RealTransform(const RealTransform&) = delete;
  RealTransform& operator=(const RealTransform&) = delete;
  ~RealTransform() {
    const std::lock_guard lock(detail::fftw_planner());
    fftw_destroy_plan(plan_);
  }
  /// values to modes; the last axis keeps 0 … n/2.
  void run() { fftw_execute(plan_); }
  std::size_t last() const { return last_; }

  Buffer<double> values;
  Buffer<Complex> modes;

 private:
  std::size_t last_;
  fftw_plan plan_ = nullptr;
};

double root_quotient(double error, double target) {
  if (target == 0)
    return error == 0 ? 0 : std::isnan(error) ? error : std::numeric_limits<double>::infinity();
  return std::sqrt(error / target);
}

std::size_t product(const std::vector<std::size_t>& extents) {
  std::size_t count = 1;
  for (const std::size_t extent : extents) count *= extent;
  return count;
}
}  // namespace

struct FieldErrors::Sums {
  Sums(FieldGrid of, std::size_t channel_count)
      : grid(std::move(of)), points(product(grid.points)), channels(channel_count), transform(grid.points) {
    for (const std::size_t n : grid.points) lines.push_back(std::make_unique<RealTransform>(std::vector{n}));
    const std::size_t half = *std::min_element(grid.points.begin(), grid.points.end()) / 2;
    const std::size_t axes = grid.points.size();
    shells = axes == 1 ? half + 1 : half;
    spectrum.assign(channels * shells, 0);
    conserved.assign(channels, 0);
    error = Buffer<double>(points);
    wanted = Buffer<double>(points);
    at_boundary.assign(points, false);
    for (std::size_t x = 0; x < points; ++x) {
      std::size_t rest = x;
      for (std::size_t axis = axes; axis-- > 0; rest /= grid.points[axis]) {
        const std::size_t i = rest % grid.points[axis];
        if (i == 0 || i + 1 == grid.points[axis]) at_boundary[x] = true;
      }
    }
    boundary_points = double(std::count(at_boundary.begin(), at_boundary.end(), true));
  }

  template <class T>
  void add_sample(const T* prediction, const T* target) {
    double error2 = 0, target2 = 0, error_h1 = 0, target_h1 = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t x = 0; x < points; ++x) {
        wanted[x] = double(target[c * points + x]);
        error[x] = double(prediction[c * points + x]) - wanted[x];
      }
      const auto [channel_error2, channel_target2] = add_channel(c);
      error2 += channel_error2;
      target2 += channel_target2;
      error_h1 += channel_error2 + gradient_square(error);
      target_h1 += channel_target2 + gradient_square(wanted);
    }
    total.relative_l2 += root_quotient(error2, target2);
    total.relative_h1 += root_quotient(error_h1, target_h1);
    ++samples;
  }

  /// Of what is in error and wanted; Σ over the points of e² and t².
  std::pair<double, double> add_channel(std::size_t c) {
    double error2 = 0, target2 = 0, error_sum = 0, target_sum = 0, boundary2 = 0;
    for (std::size_t x = 0; x < points; ++x) {
      const double e2 = error[x] * error[x];
      error2 += e2;
      error_sum += error[x];
      target2 += wanted[x] * wanted[x];
      target_sum += wanted[x];
      if (at_boundary[x]) boundary2 += e2;
      if (std::abs(error[x]) > total.max_error || std::isnan(error[x])) total.max_error = std::abs(error[x]);
    }
    const double n = double(points), mean = target_sum / n;
    double variance = 0;
    for (std::size_t x = 0; x < points; ++x) variance += (wanted[x] - mean) * (wanted[x] - mean);
    total.rmse += std::sqrt(error2 / n);
    total.nrmse += root_quotient(error2, target2);
    total.vrmse += std::sqrt(error2 / n / (variance / n + variance_floor));
    total.boundary_rmse += std::sqrt(boundary2 / boundary_points);
    conserved[c] += (error_sum / n) * (error_sum / n);
    add_spectrum(c);
    return {error2, target2};
  }

  void add_spectrum(std::size_t c) {
    std::copy(error.begin(), error.end(), transform.values.begin());
    transform.run();
    const std::size_t axes = grid.points.size();
    std::vector<std::size_t> extents = grid.points;
    extents.back() = transform.last();
    for (std::size_t m = 0; m < transform.modes.size(); ++m) {
      std::size_t rest = m, square = 0;
      bool counts = true;
      for (std::size_t axis = axes; axis-- > 0; rest /= extents[axis]) {
        const std::size_t k = rest % extents[axis];
        square += k * k;
        counts = counts && (axes == 1 || k < grid.points[axis] / 2);
      }
      const auto shell = static_cast<std::size_t>(std::sqrt(double(square)));
      if (counts && shell < shells) spectrum[c * shells + shell] += std::norm(transform.modes[m]);
    }
  }

  /// Σ over the points of |∇u|².
  double gradient_square(const Buffer<double>& u) {
    double sum = 0;
    std::size_t stride = points;
    for (std::size_t axis = 0; axis < grid.points.size(); ++axis) {
      const std::size_t n = grid.points[axis];
      stride /= n;
      RealTransform& line = *lines[axis];
      for (std::size_t first = 0; first < points; ++first) {
        if (first / stride % n != 0) continue;
        for (std::size_t i = 0; i < n; ++i) line.values[i] = u[first + i * stride];
        sum += grid.periodic[axis] ? spectral_square(line, axis) : difference_square(line, axis);
      }
    }
    return sum;
  }

  /// By Parseval: Σ |u'|² = 1/n Σ_k |2πk/L û_k|².
  double spectral_square(RealTransform& line, std::size_t axis) const {
    line.run();
    const std::size_t n = grid.points[axis];
    const double unit = 2 * std::numbers::pi / grid.lengths[axis];
    double sum = 0;
    for (std::size_t k = 1; 2 * k < n; ++k) sum += 2 * unit * unit * double(k * k) * std::norm(line.modes[k]);
    return sum / double(n);
  }

  double difference_square(const RealTransform& line, std::size_t axis) const {
    const Buffer<double>& u = line.values;
    const std::size_t n = grid.points[axis];
    const double half = 0.5 * double(n - 1) / grid.lengths[axis];  // 1 / (2h)
    const auto square = [](double value) { return value * value; };
    double sum = square(half * (-3 * u[0] + 4 * u[1] - u[2])) +
                 square(half * (3 * u[n - 1] - 4 * u[n - 2] + u[n - 3]));
    for (std::size_t i = 1; i + 1 < n; ++i) sum += square(half * (u[i + 1] - u[i - 1]));
    return sum;
  }

  /// Mean over channels and shells.
  double band(std::size_t begin, std::size_t end) const {
    end = std::min(end, shells);
    if (begin >= end) return 0;
    double scale = 1 / double(points), sum = 0;
    for (const double length : grid.lengths) scale *= length;
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t shell = begin; shell < end; ++shell)
        sum += scale * std::sqrt(spectrum[c * shells + shell] / double(samples));
    return sum / double(channels * (end - begin));
  }

  FieldGrid grid;
  std::size_t points, channels, samples = 0, shells = 0;
  RealTransform transform;
  std::vector<std::unique_ptr<RealTransform>> lines;  // along each axis
  std::vector<double> spectrum, conserved;            // Σ_b |ê|² : [C, shells], Σ_b ⟨e⟩² : [C]
  std::vector<bool> at_boundary;
  double boundary_points = 0;
  Buffer<double> error, wanted;
  FieldMetrics total;  // sums over samples and channels
};

FieldErrors::FieldErrors(const FieldGrid& grid, std::size_t channels) {
  const std::size_t axes = grid.points.size();
  require(
      axes >= 1 && axes <= 3 && grid.lengths.size() == axes && grid.periodic.size() == axes && channels > 0,
      [&] {
        return fmt::format(
            "FieldErrors: {} axes, {} lengths, {} times periodic or not, {} channels; 1 to 3 axes with one "
            "of each and channels are wanted",
            axes, grid.lengths.size(), grid.periodic.size(), channels);
      });
  for (std::size_t axis = 0; axis < axes; ++axis)
    require(grid.points[axis] >= 3 && grid.points[axis] < std::size_t{1} << 31 && grid.lengths[axis] > 0 &&
                std::isfinite(grid.lengths[axis]),
            [&] {
              return fmt::format(
                  "FieldErrors: axis {} has {} points on a length of {}; at least 3 on a positive one "
                  "are wanted",
                  axis, grid.points[axis], grid.lengths[axis]);
            });
  sums_ = std::make_unique<Sums>(grid, channels);
}
FieldErrors::~FieldErrors() = default;
FieldErrors::FieldErrors(FieldErrors&&) noexcept = default;
FieldErrors& FieldErrors::operator=(FieldErrors&&) noexcept = default;

template <class T>
void FieldErrors::add(View<const T, 3> prediction, View<const T, 3> target) {
  const std::size_t channels = sums_->channels, points = sums_->points;
  require(prediction.shape() == target.shape() && target.extent(1) == channels && target.extent(2) == points,
          [&] {
            return fmt::format("FieldErrors::add: prediction [{}], target [{}]; [samples, {}, {}] is wanted",
                               fmt::join(prediction.shape(), ", "), fmt::join(target.shape(), ", "), channels,
                               points);
          });
  for (std::size_t b = 0; b < target.extent(0); ++b)
    sums_->add_sample(prediction.data() + b * channels * points, target.data() + b * channels * points);
}
template void FieldErrors::add(View<const float, 3>, View<const float, 3>);
template void FieldErrors::add(View<const double, 3>, View<const double, 3>);

std::size_t FieldErrors::samples() const { return sums_->samples; }

FieldMetrics FieldErrors::metrics() const {
  require(sums_->samples > 0, "FieldErrors::metrics: no sample was added");
  FieldMetrics mean = sums_->total;
  const double samples = double(sums_->samples), all = samples * double(sums_->channels);
  mean.relative_l2 /= samples;
  mean.relative_h1 /= samples;
  mean.rmse /= all;
  mean.nrmse /= all;
  mean.vrmse /= all;
  mean.boundary_rmse /= all;
  for (const double sum : sums_->conserved)
    mean.conserved_rmse += std::sqrt(sum / samples) / double(sums_->channels);
  mean.fourier_low = sums_->band(0, low_shells);
  mean.fourier_middle = sums_->band(low_shells, middle_shells);
  mean.fourier_high = sums_->band(middle_shells, sums_->shells);
  return mean;
}

}  // namespace sobolev
