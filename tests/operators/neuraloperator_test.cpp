// SPDX-License-Identifier: Apache-2.0
// Models of neuraloperator, saved by tools/neuraloperator.py, give its outputs.
#include <cmath>
#include <string>

#include "sobolev/io/npy.hpp"
#include "sobolev/operators/operator_model.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
const std::filesystem::path samples = std::filesystem::path(SOBOLEV_SOURCE_DIR) / "tests/operators/samples";

/// [B, C, n…] as neuraloperator has it, to channels last.
template <class T>
FieldData<T> channels_last(const Tensor& t) {
  FieldData<T> f;
  f.samples = t.shape[0];
  f.channels = t.shape[1];
  f.grid.assign(t.shape.begin() + 2, t.shape.end());
  const std::size_t n = f.points();
  f.values.resize(t.values.size());
  for (std::size_t b = 0; b < f.samples; ++b)
    for (std::size_t c = 0; c < f.channels; ++c)
      for (std::size_t p = 0; p < n; ++p)
        f.values[(b * n + p) * f.channels + c] = T(t.values[(b * f.channels + c) * n + p]);
  return f;
}

template <class B>
class NeuralOperator : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(NeuralOperator, test::BackEnds, test::BackEndNames);

TYPED_TEST(NeuralOperator, GivesTheSameOutputs) {
  using T = typename TypeParam::Scalar;
  const NpzFile arrays(samples / "neuraloperator.npz");
  for (const std::string name : {"fno_1d", "fno_2d", "tfno_2d"}) {
    const FieldData<T> x = channels_last<T>(arrays.read(name + ".x", 10000)),
                       want = channels_last<T>(arrays.read(name + ".y", 10000));
    const OperatorModel model = OperatorModel::load(samples / ("neuraloperator_" + name + ".safetensors"));
    const FieldData<T> y = model.apply(test::executor_of<TypeParam>(), x);
    ASSERT_EQ(y.values.size(), want.values.size());
    double largest = 0;
    for (T v : want.values) largest = std::max(largest, std::abs(double(v)));
    for (std::size_t i = 0; i < y.values.size(); ++i)
      EXPECT_NEAR(double(y.values[i]), double(want.values[i]), 1e-5 * largest) << name << " at " << i;
  }
}
}  // namespace
}  // namespace sobolev
