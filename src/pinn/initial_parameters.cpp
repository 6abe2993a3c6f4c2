// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "sobolev/core/random.hpp"
#include "window_trainer.hpp"

namespace sobolev::detail {

std::vector<double> initial_parameters(const MlpShape& mlp, const Features& features,
                                       double first_layer_scale, unsigned long seed) {
  std::vector<double> parameters(mlp.parameters(), 0.0);
  for (int l = 0; l < mlp.layers(); ++l) {
    const Philox random(seed, std::uint64_t(l));
    const std::size_t n = std::size_t(mlp.fan_in(l)) * std::size_t(mlp.fan_out(l));
    const double scale =
        std::sqrt(2.0 / (mlp.fan_in(l) + mlp.fan_out(l))) * (l == 0 ? first_layer_scale : 1.0);
    for (std::size_t i = 0; i < n; ++i) parameters[mlp.weight_offset(l) + i] = scale * random.normal(i);
  }
  std::size_t row = 0;
  for (const Features::Item& item : features.items())
    for (int k = 1; k <= item.modes; ++k)
      for (int c = 0; c < (item.kind == Features::Item::Kind::periodic ? 2 : 1); ++c, ++row)
        for (std::size_t o = 0; o < std::size_t(mlp.width); ++o)
          parameters[row * std::size_t(mlp.width) + o] /= double(k * k);
  const Philox random(seed, 15);
  for (int i = 0; i < mlp.width; ++i)
    parameters[mlp.bias_offset(0) + std::size_t(i)] = 2 * random.uniform(std::uint64_t(i)) - 1;
  return parameters;
}

}  // namespace sobolev::detail
