// SPDX-License-Identifier: Apache-2.0
#include "sobolev/problem/points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {
namespace {

// Independent parts of one Philox stream: each purpose and dimension counts from its own base.
enum Purpose : std::uint64_t { permutation = 1, jitter = 2, shift = 3 };
std::uint64_t base(Purpose purpose, std::size_t dimension) {
  return (std::uint64_t(purpose) << 56) | (std::uint64_t(dimension) << 40);
}

// Primitive polynomials and initial direction numbers of dimensions 2 … 8 (Joe & Kuo 2008,
// new-joe-kuo-6); dimension 1 is the van der Corput sequence.
struct Direction {
  int degree;
  std::uint32_t coefficients;
  std::array<std::uint32_t, 5> m;
};
constexpr int sobol_dimensions = 8, sobol_bits = 32;
constexpr std::array<Direction, sobol_dimensions - 1> directions{{{1, 0, {1}},
                                                                  {2, 1, {1, 3}},
                                                                  {3, 1, {1, 3, 1}},
                                                                  {3, 2, {1, 1, 1}},
                                                                  {4, 1, {1, 1, 3, 3}},
                                                                  {4, 4, {1, 3, 5, 13}},
                                                                  {5, 2, {1, 1, 5, 5, 17}}}};

std::array<std::uint32_t, sobol_bits> direction_numbers(std::size_t dimension) {
  std::array<std::uint32_t, sobol_bits> v{};
  if (dimension == 0) {
    for (int i = 0; i < sobol_bits; ++i) v[std::size_t(i)] = 1u << (31 - i);
    return v;
  }
  const Direction& d = directions[dimension - 1];
  for (int i = 0; i < sobol_bits; ++i) {
    const auto at = std::size_t(i);
    if (i < d.degree) {
      v[at] = d.m[at] << (31 - i);
      continue;
    }
    v[at] = v[std::size_t(i - d.degree)] ^ (v[std::size_t(i - d.degree)] >> d.degree);
    for (int k = 1; k < d.degree; ++k)
      if ((d.coefficients >> (d.degree - 1 - k)) & 1) v[at] ^= v[std::size_t(i - k)];
  }
  return v;
}

using Matrix = View<double, 2>;  // [N, D] in the unit cube

void fill_latin_hypercube(const Philox& random, Matrix u) {
  const std::size_t n = u.extent(0);
  std::vector<std::size_t> cell(n);
  for (std::size_t k = 0; k < u.extent(1); ++k) {
    std::iota(cell.begin(), cell.end(), std::size_t{0});
    for (std::size_t i = n; i > 1; --i) {
      const double draw = random.uniform(base(permutation, k) + i);
      std::swap(cell[i - 1], cell[std::size_t(draw * double(i))]);
    }
    for (std::size_t i = 0; i < n; ++i)
      u(i, k) = (double(cell[i]) + random.uniform(base(jitter, k) + i)) / double(n);
  }
}

void fill_sobol(const Philox& random, Matrix u) {
  for (std::size_t k = 0; k < u.extent(1); ++k) {
    const auto v = direction_numbers(k);
    const auto w = random.words(base(shift, k));
    const std::uint64_t digital_shift = std::uint64_t(w[0]) << 32 | w[1];
    std::uint32_t state = 0;  // in the order of Gray code: point i + 1 differs in one direction
    for (std::size_t i = 0; i < u.extent(0); ++i) {
      u(i, k) = double(((std::uint64_t(state) << 32) ^ digital_shift) >> 11) * 0x1p-53;
      state ^= v[std::size_t(std::countr_one(std::uint32_t(i)))];
    }
  }
}

// Where the unit interval goes for one coordinate and a block of points.
void map_to(Matrix u, std::size_t axis, std::size_t begin, std::size_t end, double low, double high) {
  for (std::size_t i = begin; i < end; ++i)
    u(i, axis) = std::min(high, std::max(low, low + (high - low) * u(i, axis)));
}

std::vector<double> grid_points(const PointRequest& r) {
  require(
      r.grid.size() == r.ranges.size(),
      fmt::format("sample_points: grid names {} sizes for {} coordinates", r.grid.size(), r.ranges.size()));
  std::size_t n = 1;
  for (std::size_t k = 0; k < r.grid.size(); ++k) {
    require(r.grid[k] >= 0,
            fmt::format("sample_points: grid size {} of {} is negative", r.grid[k], r.ranges[k].name));
    n *= std::size_t(r.grid[k]);
  }
  const std::size_t dims = r.ranges.size();
  std::vector<double> out(n * dims);
  std::size_t stride = n;
  for (std::size_t k = 0; k < dims && n > 0; ++k) {
    const auto& range = r.ranges[k];
    const auto size = std::size_t(r.grid[k]);
    stride /= size;
    for (std::size_t i = 0; i < n; ++i) {
      const auto j = double(i / stride % size);
      const double u = range.periodic ? j / double(size) : size == 1 ? 0.5 : j / double(size - 1);
      out[i * dims + k] = range.low * (1 - u) + range.high * u;
    }
  }
  return out;
}

void check(const PointRequest& r) {
  for (const auto& range : r.ranges)
    require(std::isfinite(range.low) && std::isfinite(range.high) && range.low <= range.high,
            fmt::format("sample_points: {} has the range [{}, {}]; two finite ascending numbers are needed",
                        range.name, range.low, range.high));
  require(r.count >= 0, fmt::format("sample_points: {} points asked for", r.count));
}

}  // namespace

std::vector<double> sample_points(const PointRequest& r) {
  check(r);
  if (r.sampling == Sampling::grid) return grid_points(r);

  const std::size_t n = std::size_t(r.count), dims = r.ranges.size();
  std::vector<double> out(n * dims);
  const Matrix u(out.data(), n, dims);
  const Philox random(r.seed, r.stream);
  switch (r.sampling) {
    case Sampling::uniform:
      fill_uniform<double>(Cpu(), random, 0, View<double, 1>(u.data(), u.size()));
      break;
    case Sampling::latin_hypercube: fill_latin_hypercube(random, u); break;
    default:
      require(dims <= sobol_dimensions,
              fmt::format("sample_points: Sobol points have at most {} dimensions, {} asked for; use "
                          "latin_hypercube or uniform",
                          sobol_dimensions, dims));
      fill_sobol(random, u);
  }

  // Each dense region takes the next block of points, so a block of a Sobol sequence stays one.
  std::size_t taken = 0;
  double total = 0;
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> blocks(dims);
  for (const auto& region : r.dense) {
    std::size_t axis = 0;
    while (axis < dims && r.ranges[axis].name != region.coordinate) ++axis;
    if (axis == dims) continue;  // fixed in this request (a condition's face)
    const auto& range = r.ranges[axis];
    const double low = std::max(range.low, region.centre - region.width);
    const double high = std::min(range.high, region.centre + region.width);
    require(region.fraction >= 0 && region.fraction <= 1 && low <= high,
            fmt::format(
                "sample_points: a dense region with fraction {} and {} in [{}, {}] does not fit the range "
                "[{}, {}]",
                region.fraction, range.name, region.centre - region.width, region.centre + region.width,
                range.low, range.high));
    total += region.fraction;
    require(total <= 1 + 1e-9,
            fmt::format("sample_points: the fractions of the dense regions sum to {} > 1", total));
    const std::size_t end = std::min(n, taken + std::size_t(std::llround(region.fraction * double(n))));
    map_to(u, axis, taken, end, low, high);
    blocks[axis].emplace_back(taken, end);
    taken = end;
  }
  for (std::size_t k = 0; k < dims; ++k) {
    std::size_t from = 0;
    for (const auto& [begin, end] : blocks[k]) {
      map_to(u, k, from, begin, r.ranges[k].low, r.ranges[k].high);
      from = end;
    }
    map_to(u, k, from, n, r.ranges[k].low, r.ranges[k].high);
  }
  return out;
}

}  // namespace sobolev
