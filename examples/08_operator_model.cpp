// SPDX-License-Identifier: Apache-2.0
// y = G(a): a Fourier neural operator that neuraloperator trained, run from C++. tools/neuraloperator.py
// saved it.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sobolev/io/npy.hpp"
#include "sobolev/operators/operator_model.hpp"

using namespace sobolev;

int main() {
  const std::string folder = "tests/operators/samples/";
  const NpzFile arrays(folder + "neuraloperator.npz");
  const Tensor x = arrays.read("fno_1d.x", 1000),
               want = arrays.read("fno_1d.y", 1000);  // [B, C, n], C = 1 and 2

  // The five lines: a model, and fields of one channel on a grid of 13 points, [B, N, C].
  const OperatorModel model = OperatorModel::load(folder + "neuraloperator_fno_1d.safetensors");
  FieldData<double> fields{.grid = {13}, .samples = 2, .channels = 1, .values = x.values};
  const FieldData<double> y = model.apply(Cpu(), fields);

  double largest = 0;
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t n = 0; n < 13; ++n)
      for (std::size_t c = 0; c < 2; ++c)
        largest =
            std::max(largest, std::abs(y.values[(b * 13 + n) * 2 + c] - want.values[(b * 2 + c) * 13 + n]));
  std::printf("largest difference from neuraloperator's own output %s 1e-6\n",
              largest < 1e-6 ? "below" : "above");
}
// Expect: largest difference from neuraloperator's own output below 1e-6
