// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/pinn/residual_objective_detail.hpp"

namespace sobolev::detail {

std::vector<MirroredCopy> mirrored_copies(const std::vector<Symmetry>& symmetry) {
  require(symmetry.size() <= 3, "residual objective: symmetry in at most three coordinates");
  std::vector<MirroredCopy> copies;
  for (unsigned c = 0; c < 1u << symmetry.size(); ++c) {
    MirroredCopy copy{0, 1.0 / double(1u << symmetry.size())};
    for (std::size_t i = 0; i < symmetry.size(); ++i)
      if (c >> i & 1u) {
        copy.mirror |= 1u << symmetry[i].coordinate;
        copy.parity *= symmetry[i].sign;
      }
    copies.push_back(copy);
  }
  return copies;
}

void check_network(const Network& network, const Features& features) {
  network.validate();
  require(network.inputs() == features.inputs(), [&] {
    return fmt::format("residual objective: a network of {} inputs; there are {} features", network.inputs(),
                       features.inputs());
  });
}

void check_group(const ResidualGroup& group, const Network& network, int coordinates) {
  const int fields = int(group.fields.size()), all = coordinates + group.externals + fields;
  require(group.tape.inputs == all, [&] {
    return fmt::format(
        "residual objective: the tape has {} inputs; {} coordinates, {} external values and {} "
        "fields make {}",
        group.tape.inputs, coordinates, group.externals, fields, all);
  });
  check_weights(group.weights.size(), group.tape.outputs.size());
  for (const FieldInput& f : group.fields)
    require(
        f.output >= 0 && f.output < network.outputs() && f.channel >= 0 && f.channel < group.jet.channels(),
        [&] { return fmt::format("residual objective: no channel {} of output {}", f.channel, f.output); });
}

void check_points(const Extents<2>& x, const Extents<2>& externals, std::size_t point_weights,
                  std::size_t coordinates, std::size_t external_count) {
  require(x[1] == coordinates, [&] {
    return fmt::format("residual objective: points are [{}, {}] but there are {} coordinates", x[0], x[1],
                       coordinates);
  });
  require(external_count == 0 || (externals[0] == external_count && externals[1] == x[0]),
          "residual objective: external values must be [externals, N]");
  require(point_weights == 0 || point_weights == x[0], "residual objective: point weights must be [N]");
}

void check_weights(std::size_t given, std::size_t residuals) {
  require(given == residuals, "residual objective: one weight per residual is needed");
}

void check_causal(const std::vector<std::size_t>& offsets, double epsilon, std::size_t points) {
  require(offsets.size() >= 2 && offsets.front() == 0 && offsets.back() == points &&
              std::is_sorted(offsets.begin(), offsets.end()),
          "residual objective: slice offsets must rise from 0 to the number of points");
  require(epsilon >= 0 && std::isfinite(epsilon),
          [&] { return fmt::format("residual objective: causal epsilon is {}; it must be >= 0", epsilon); });
}

void check_parameters(std::size_t given, std::size_t parameters) {
  require(given == parameters, [&] {
    return fmt::format("residual objective: {} parameters given, the network has {}", given, parameters);
  });
}

void check_residuals(const Extents<2>& given, std::size_t residuals, std::size_t points) {
  require(given[0] == residuals && given[1] == points, [&] {
    return fmt::format("residual objective: residuals and seeds must be [residuals, points] = [{}, {}]",
                       residuals, points);
  });
}

void check_normal_equations(const Extents<2>& matrix, std::size_t gradient, std::size_t parameters) {
  const std::size_t p = parameters;
  require(matrix[0] == p && matrix[1] == p && gradient == p, [&] {
    return fmt::format("normal equations: the matrix must be [{}, {}] and the gradient [{}]", p, p, p);
  });
}

void check_group_index(int group, std::size_t groups) {
  require(group >= 0 && std::size_t(group) < groups,
          [&] { return fmt::format("residual objective: no group {}", group); });
}

}  // namespace sobolev::detail
