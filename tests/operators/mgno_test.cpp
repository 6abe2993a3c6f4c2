// SPDX-License-Identifier: Apache-2.0
// MgNO gives what PyTorch makes of its formulas (benchmarks/peers/mgno.py --write tests/operators/samples).
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/io/safetensors.hpp"
#include "sobolev/operators/field_network.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
const std::filesystem::path samples = std::filesystem::path(SOBOLEV_SOURCE_DIR) / "tests/operators/samples";

template <class B>
class Mgno : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Mgno, test::BackEnds, test::BackEndNames);

TYPED_TEST(Mgno, IsItsFormulaInPyTorch) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  const E& executor = test::executor_of<TypeParam>();
  MgnoOptions zero;
  zero.layers = 2;
  zero.cycle.channels = 5;
  zero.cycle.smoothing = {{1, 0}, {1, 1}, {2, 0}};
  MgnoOptions circular = zero;
  circular.inputs = 2;
  circular.cycle.channels = 4;
  circular.cycle.smoothing = {{1, 1}, {1, 0}, {1, 1}};
  circular.cycle.boundary = Boundary::periodic;
  circular.cycle.smoother_bias = true;
  for (const auto& [name, options] :
       {std::pair<std::string, MgnoOptions>{"mgno_zero", zero}, {"mgno_circular", circular}}) {
    const std::filesystem::path path = samples / (name + ".safetensors");
    const TensorFile file = read_safetensors(path);
    const FieldNetwork network = mgno(options);
    std::vector<T> theta(network.parameters());
    for (const auto& array : network.arrays()) {
      const Tensor& values = file.at(array.name, path);
      ASSERT_EQ(values.shape, array.shape) << array.name;
      std::transform(values.values.begin(), values.values.end(), theta.begin() + std::ptrdiff_t(array.offset),
                     [](double v) { return T(v); });
    }
    const Tensor &x = file.at("x", path), &want = file.at("y", path);
    const std::vector<T> field(x.values.begin(), x.values.end());
    auto p = zeros<T>(executor, theta.size()), in = zeros<T>(executor, field.size());
    upload<T, 1>(executor, View<const T, 1>(theta.data(), theta.size()), View<T, 1>(p.data(), p.size()));
    upload<T, 1>(executor, View<const T, 1>(field.data(), field.size()), View<T, 1>(in.data(), in.size()));
    PlannedFieldNetwork<T, E> planned(executor, network, {x.shape[1], x.shape[2]}, x.shape[0],
                                      PlannedFieldNetwork<T, E>::Use::inference);
    const auto y =
        planned.forward(View<const T, 1>(p.data(), p.size()),
                        View<const T, 3>(in.data(), x.shape[0], x.shape[1] * x.shape[2], x.shape[3]));
    ASSERT_EQ(y.size(), want.values.size());
    std::vector<T> got(y.size());
    download<T, 1>(executor, View<const T, 1>(y.data(), y.size()), View<T, 1>(got.data(), got.size()));
    double largest = 0;
    for (const double v : want.values) largest = std::max(largest, std::abs(v));
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(double(got[i]), want.values[i], 1e-5 * largest) << name << " at " << i;
  }
}
}  // namespace
}  // namespace sobolev
