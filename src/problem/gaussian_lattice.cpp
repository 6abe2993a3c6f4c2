// SPDX-License-Identifier: Apache-2.0
#include "src/problem/gaussian_lattice.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sobolev::detail {
namespace {
/// A coordinate's part that is filled.
struct Part {
  double low, high;
  double length;       // of the inputs
  int before, behind;  // cells outside
};

Part part_of(const CoordinateRange& c, const NetworkOptions& options) {
  const int margin = options.gaussians.margin;
  const bool half = options.symmetry.contains(c.name);
  Part part{half ? 0 : c.low, c.high, c.high - c.low, half ? 0 : margin, margin};
  if (c.periodic) {
    part.before = part.behind = 0;
    part.length = 2 * std::numbers::pi;  // the circle of its cosine and sine
  } else if (options.normalize) {
    part.length = 2;
  }
  if (half) part.length /= 2;
  return part;
}

int cells(const Part& part, double edge) {
  return std::max(1, int(std::floor(part.length / edge * (1 + 1e-12))));
}
}  // namespace

std::size_t GaussianLattice::size() const {
  std::size_t n = axes.empty() ? 0 : 1;
  for (const Axis& a : axes) n *= std::size_t(a.count);
  return n;
}

void GaussianLattice::point(std::size_t i, double* x) const {
  for (std::size_t d = axes.size(); d-- > 0;) {
    const auto count = std::size_t(axes[d].count);
    x[d] = axes[d].first + axes[d].step * double(i % count);
    i /= count;
  }
}

GaussianLattice gaussian_lattice(const std::vector<CoordinateRange>& ranges, const NetworkOptions& options) {
  std::vector<Part> parts;
  for (const CoordinateRange& c : ranges) parts.push_back(part_of(c, options));
  const auto fits = [&](double edge) {
    double n = 1;
    for (const Part& p : parts) n *= cells(p, edge) + p.before + p.behind;
    return n <= double(options.gaussians.count);
  };
  GaussianLattice lattice;
  double longest = 0;
  for (const Part& p : parts) longest = std::max(longest, p.length);
  if (!fits(longest)) return lattice;
  // Where an edge fits, longer ones do: the least is one that divides a length.
  double edge = longest;
  for (const Part& p : parts)
    for (int n = 1; n <= options.gaussians.count; ++n)
      if (p.length / n < edge && fits(p.length / n)) edge = p.length / n;
  double volume = 1;
  for (const Part& p : parts) {
    const int n = cells(p, edge);
    const double step = (p.high - p.low) / n;
    lattice.axes.push_back({p.low + step * (0.5 - p.before), step, n + p.before + p.behind});
    volume *= p.length / n;
  }
  lattice.spacing = std::pow(volume, 1.0 / double(parts.size()));
  return lattice;
}

}  // namespace sobolev::detail
