// SPDX-License-Identifier: Apache-2.0
// A network's jets against the definition, in double by plain loops: products of truncated Taylor
// series, tanh by its series. The gradient against finite differences.
#include "sobolev/network/network.hpp"

#include <algorithm>
#include <map>

#include "tests/support.hpp"

namespace sobolev {
namespace {
MultiIndex index(std::initializer_list<int> orders) {
  MultiIndex a;
  std::size_t d = 0;
  for (int o : orders) a.order[d++] = std::uint8_t(o);
  return a;
}

/// A truncated Taylor series: a coefficient for each multi-index of a downward-closed set.
using Series = std::vector<double>;

class TaylorSeries {
 public:
  explicit TaylorSeries(const std::vector<MultiIndex>& set) : size_(set.size()) {
    for (std::size_t i = 0; i < set.size(); ++i) number_[set[i]] = i;
    for (const auto& [alpha, i] : number_)
      for (const auto& [beta, j] : number_)
        if (const auto sum = number_.find(alpha + beta); sum != number_.end())
          products_.push_back({i, j, sum->second});
  }
  std::size_t operator[](const MultiIndex& alpha) const { return number_.at(alpha); }
  std::size_t size() const { return size_; }

  Series multiply(const Series& a, const Series& b) const {
    Series c(size());
    for (const auto& [i, j, sum] : products_) c[sum] += a[i] * b[j];
    return c;
  }
  Series hyperbolic_tangent(const Series& z) const {
    const double y = std::tanh(z[number_.at(MultiIndex{})]);
    std::vector<double> s{y, 1 - y * y};
    for (int k = 1; k < 8; ++k) {
      double sum = 0;
      for (int i = 0; i <= k; ++i) sum += s[std::size_t(i)] * s[std::size_t(k - i)];
      s.push_back(-sum / (k + 1));
    }
    return composed(s, z);
  }
  Series exponential(const Series& z) const {
    std::vector<double> s{std::exp(z[number_.at(MultiIndex{})])};
    for (int k = 1; k < 9; ++k) s.push_back(s.back() / k);
    return composed(s, z);
  }
  /// Σ s_k (z − z0)^k, powers by definition.
  Series composed(const std::vector<double>& s, const Series& z) const {
    const std::size_t zero = number_.at(MultiIndex{});
    Series h = z, power(size()), result(size());
    h[zero] = 0;
    power[zero] = 1;
    for (std::size_t k = 0; k < s.size(); ++k) {
      for (std::size_t i = 0; i < size(); ++i) result[i] += s[k] * power[i];
      power = multiply(power, h);
    }
    return result;
  }

 private:
  struct Product {
    std::size_t left, right, sum;
  };
  std::size_t size_;
  std::map<MultiIndex, std::size_t> number_;
  std::vector<Product> products_;
};

template <class T>
std::vector<Series> outputs_of(const TaylorSeries& taylor, const Network& network, const T* parameters,
                               const std::vector<Series>& x) {
  std::vector<std::vector<Series>> slots{x};
  std::vector<Series> outputs;
  for (const Instruction& i : network.instructions()) {
    const std::vector<Series>& in = slots[std::size_t(i.in[0])];
    std::vector<Series> out(std::size_t(i.fan_out), Series(taylor.size()));
    for (std::size_t o = 0; o < out.size(); ++o) switch (i.kind) {
        case Instruction::Kind::dense:
        case Instruction::Kind::output:
          for (std::size_t f = 0; f < std::size_t(i.fan_in); ++f) {
            const bool last = i.kind == Instruction::Kind::output;
            double w = double(parameters[i.weight + (last ? o * in.size() + f : f * out.size() + o)]);
            if (i.factor) w *= std::exp(double(parameters[*i.factor + o]));
            for (std::size_t a = 0; a < taylor.size(); ++a) out[o][a] += w * in[f][a];
          }
          out[o][taylor[MultiIndex{}]] += double(parameters[i.bias + o]);
          if (i.kind == Instruction::Kind::dense) out[o] = taylor.hyperbolic_tangent(out[o]);
          break;
        case Instruction::Kind::gaussian: {
          Series exponent(taylor.size());
          for (std::size_t f = 0; f < std::size_t(i.fan_in); ++f) {
            Series z(taylor.size());
            for (std::size_t j = i.full ? 0 : f; j <= f; ++j) {
              const std::size_t row = std::size_t(i.fan_in) + f * (f - 1) / 2 + j;
              const double a = j == f ? 1 : double(parameters[i.bias + row * out.size() + o]);
              for (std::size_t k = 0; k < taylor.size(); ++k) z[k] += a * in[j][k];
              z[taylor[MultiIndex{}]] -= a * double(parameters[i.weight + j * out.size() + o]);
            }
            const double width = std::exp(double(parameters[i.bias + f * out.size() + o]));
            for (double& v : z) v /= width;
            const Series square = taylor.multiply(z, z);
            for (std::size_t a = 0; a < taylor.size(); ++a) exponent[a] -= square[a] / 2;
          }
          out[o] = taylor.exponential(exponent);
          break;
        }
        case Instruction::Kind::gate: {
          const Series &z = in[o], &a = slots[std::size_t(i.in[1])][o], &b = slots[std::size_t(i.in[2])][o];
          Series one_minus = z;
          for (double& v : one_minus) v = -v;
          one_minus[taylor[MultiIndex{}]] += 1;
          const Series first = taylor.multiply(z, a), second = taylor.multiply(one_minus, b);
          for (std::size_t k = 0; k < taylor.size(); ++k) out[o][k] = first[k] + second[k];
          break;
        }
        case Instruction::Kind::blend: {
          const double alpha = double(parameters[i.weight]);
          for (std::size_t k = 0; k < taylor.size(); ++k)
            out[o][k] = alpha * in[o][k] + (1 - alpha) * slots[std::size_t(i.in[1])][o][k];
          break;
        }
      }
    if (i.kind == Instruction::Kind::output)
      outputs.insert(outputs.end(), out.begin(), out.end());
    else
      slots.push_back(std::move(out));
  }
  return outputs;
}

/// Every instruction, slots that several read, and more than one output.
Network branches(int inputs, int width, Activation activation = Activation::tanh) {
  Network n(inputs);
  const int a = n.dense(0, width, activation), b = n.dense(0, width), x = n.dense(0, width);
  const int gated = n.gate(n.dense(x, width), a, b);
  const int blended = n.blend(n.dense(gated, width, activation), x, 0.3);
  n.output(n.gate(n.dense(blended, width), a, b), 1);
  n.output(n.dense(blended, width + 3, activation), 2);
  n.constants({0.5, -2});
  return n;
}
/// Blends and gates of the inputs themselves.
Network residual_of_inputs(int inputs) {
  Network n(inputs);
  const int x = n.blend(n.dense(n.dense(0, 7), inputs), 0, 0.6);
  n.output(n.gate(n.dense(x, inputs), 0, x), 1);
  n.output(0, 1);
  return n;
}

/// Gaussians alone and below another layer.
Network gaussians(int inputs, int count) {
  Network n(inputs);
  n.output(n.gaussian(0, count), 1);
  n.output(n.dense(n.gaussian(0, 3), 5), 2);
  return n;
}

/// The same of full covariance.
Network full_gaussians(int inputs, int count) {
  Network n(inputs);
  n.output(n.gaussian(0, count, true), 1);
  n.output(n.dense(n.gaussian(0, 3, true), 5), 2);
  return n;
}

struct Case {
  const char* name;
  std::vector<MultiIndex> needed;
  std::vector<std::vector<JetTerm>> collapsed;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"value", {}, {}},
      {"first order", {index({1, 0}), index({0, 1})}, {}},
      {"heat", {index({1, 0}), index({0, 2})}, {}},
      {"heat, collapsed", {index({1, 0}), index({0, 2})}, {{{index({1, 0}), 1.0}, {index({0, 2}), -0.3}}}},
      {"Laplacian, collapsed",
       {index({2, 0}), index({0, 2})},
       {{{index({2, 0}), 1.0}, {index({0, 2}), 2.0}}}},
      {"third order, collapsed",
       {index({1, 0}), index({0, 3})},
       {{{index({1, 0}), 1.0}, {index({0, 3}), 0.1}}}},
      {"fourth order, collapsed",
       {index({1, 0}), index({0, 4})},
       {{{index({1, 0}), 1.0}, {index({0, 4}), 0.05}}}},
      {"fourth order", {index({1, 0}), index({0, 4})}, {}},
      {"mixed xxyy", {index({2, 2})}, {}},
      {"biharmonic, collapsed",
       {index({4, 0}), index({2, 2}), index({0, 4})},
       {{{index({4, 0}), 1.0}, {index({2, 2}), 2.0}, {index({0, 4}), 1.0}}}},
      {"sixth order", {index({6, 0})}, {}},
      {"diagonal of the Hessian", {index({2, 0}), index({0, 2})}, {}},
  };
  return all;
}
JetSpec spec_of(const Case& c) {
  JetSpec spec = JetSpec::closure(2, c.needed);
  for (const auto& terms : c.collapsed) spec = spec.collapse(terms);
  return spec;
}

/// Heat, fourth order and sixth order, of 4, 5 and 7 channels.
bool for_all(const Case& c) { return (&c - cases().data()) % 4 == 2; }
bool is_mlp(const Network& network) {
  const std::vector<Instruction>& all = network.instructions();
  return std::all_of(all.begin(), all.end(), [](const Instruction& i) {
    return !i.factor && (i.kind == Instruction::Kind::dense || i.kind == Instruction::Kind::output) &&
           (i.in[0] > 0 || i.out == 1);
  });
}

/// What is the same for every algebra is tested in three of them: networks other than MLPs, the matrix units'
/// products, other orders of a simulated device's threads.
template <class B>
bool is_tested(const Network& network, const Case& c) {
  return for_all(c) || (is_mlp(network) && B::products == Products::ieee && !test::in_another_order());
}

template <class B>
class Networks : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Networks, test::ProductBackEnds, test::BackEndNames);

TYPED_TEST(Networks, ForwardIsTheTruncatedTaylorSeries) {
  using T = typename TypeParam::Scalar;
  const auto& device = test::executor_of<TypeParam>();
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const JetSpec spec = spec_of(c);
    const JetSpec full = JetSpec::closure(2, c.needed);
    std::vector<MultiIndex> set;
    for (int j = 0; j < full.channels(); ++j) set.push_back(full.terms(j)[0].alpha);
    const TaylorSeries taylor(set);
    const std::size_t k = std::size_t(spec.channels());
    for (const Network& shape : {mlp(2, 1, 1, 5), mlp(3, 2, 2, 20), modified_mlp(2, 1, 2, 11),
                                 pirate(2, 1, 1, 9), mlp(2, 1, 2, 33), branches(3, 10), residual_of_inputs(4),
                                 branches(2, 9).factorized(), gaussians(3, 21), full_gaussians(3, 21)}) {
      if (!is_tested<TypeParam>(shape, c)) continue;
      for (std::size_t n : {0, 1, 97}) {
        test::Guarded<TypeParam> theta(shape.parameters(), 1, 0.4),
            x(k * std::size_t(shape.inputs()) * n, 2, 0.5), y(k * std::size_t(shape.outputs()) * n, 3);
        const std::size_t in = std::size_t(shape.inputs()), out = std::size_t(shape.outputs());
        // Inputs must be consistent between collapsed channels and their terms: make the full series first.
        std::vector<std::vector<Series>> inputs(n, std::vector<Series>(in, Series(taylor.size())));
        const Philox random(11, 5);
        for (std::size_t p = 0; p < n; ++p)
          for (std::size_t f = 0; f < in; ++f) {
            for (std::size_t j = 0; j < taylor.size(); ++j)
              inputs[p][f][j] = double(T(0.5 * random.normal((p * in + f) * 64 + j)));
            for (std::size_t j = 0; j < k; ++j) {
              double v = 0;
              for (const JetTerm& t : spec.terms(int(j)))
                v += t.coefficient * inputs[p][f][taylor[t.alpha]] * t.alpha.factorial() / spec.scale(int(j));
              x[(j * in + f) * n + p] = T(v);
            }
          }
        network_forward<T>(device, shape, spec, theta.cview(theta.size()), x.cview(k, in, n),
                           y.view(k, out, n));
        for (std::size_t p = 0; p < n; ++p) {
          const std::vector<Series> want = outputs_of(taylor, shape, theta.data(), inputs[p]);
          for (std::size_t j = 0; j < k; ++j)
            for (std::size_t q = 0; q < out; ++q) {
              double v = 0, scale = 0;
              for (const JetTerm& t : spec.terms(int(j))) {
                const double term =
                    t.coefficient * want[q][taylor[t.alpha]] * t.alpha.factorial() / spec.scale(int(j));
                v += term;
                scale += std::abs(term);
              }
              // Orders amplify rounding by sums of products of the inputs' jets.
              const double bound = TypeParam::rounding * 8.0 * double(shape.instructions().size()) *
                                   shape.width() * double(std::numeric_limits<T>::epsilon()) * (1 + scale) *
                                   std::pow(2.0, spec.order());
              EXPECT_LE(std::abs(double(y[(j * out + q) * n + p]) - v), bound)
                  << "channel " << j << " point " << p;
            }
        }
      }
    }
  }
}

// In float64 by one thread, which the finite differences below check.
TYPED_TEST(Networks, BackwardIsThatOfTheCpuInDouble) {
  using T = typename TypeParam::Scalar;
  const auto& device = test::executor_of<TypeParam>();
  const Network shapes[] = {mlp(3, 2, 2, 9, Activation::sin),
                            mlp(2, 1, 1, 12, Activation::gelu),
                            mlp(2, 1, 1, 7, Activation::swish),
                            mlp(2, 1, 1, 17, Activation::softplus),
                            mlp(3, 2, 3, 20),
                            mlp(22, 1, 2, 140),
                            modified_mlp(2, 1, 2, 15, Activation::sin),
                            pirate(2, 1, 2, 14),
                            pirate(12, 2, 1, 10, Activation::swish),
                            branches(3, 12),
                            branches(2, 40, Activation::softplus),
                            residual_of_inputs(5),
                            branches(3, 20).factorized(),
                            mlp(3, 2, 2, 36, Activation::softplus).factorized(),
                            gaussians(2, 37),
                            gaussians(25, 9).factorized(),
                            full_gaussians(3, 37),
                            full_gaussians(8, 9).factorized()};
  for (const Case& c : cases())
    for (const Network& shape : shapes) {
      if (!is_tested<TypeParam>(shape, c)) continue;
      SCOPED_TRACE(c.name);
      const JetSpec spec = spec_of(c);
      const std::size_t k = std::size_t(spec.channels()), n = 67, p = shape.parameters(),
                        in = std::size_t(shape.inputs()), out = std::size_t(shape.outputs());
      const double scale = 1 / std::sqrt(double(shape.width()));
      test::Guarded<TypeParam> theta(p, 1, scale), x(k * in * n, 2, 0.5), seed(k * out * n, 3),
          gradient(p, 5);
      network_backward<T>(device, shape, spec, theta.cview(p), x.cview(k, in, n), seed.cview(k, out, n),
                          gradient.view(p));
      test::Guarded<double> theta_(p), x_(k * in * n), seed_(k * out * n), want(p);
      for (std::size_t i = 0; i < p; ++i) theta_[i] = theta[i];
      for (std::size_t i = 0; i < x.size(); ++i) x_[i] = x[i];
      for (std::size_t i = 0; i < seed.size(); ++i) seed_[i] = seed[i];
      network_backward<double>(Cpu(1), shape, spec, theta_.cview(p), x_.cview(k, in, n),
                               seed_.cview(k, out, n), want.view(p));
      double largest = 0;
      for (std::size_t i = 0; i < p; ++i) largest = std::max(largest, std::abs(want[i]));
      for (std::size_t i = 0; i < p; ++i)
        ASSERT_NEAR(double(gradient[i]), want[i],
                    TypeParam::rounding * 8 * double(std::numeric_limits<T>::epsilon()) *
                        double(shape.instructions().size()) * std::pow(2.0, spec.order()) * (1 + largest))
            << "parameter " << i << ", width " << shape.width();
    }
}

TYPED_TEST(Networks, NoPointsGiveNoGradient) {
  using T = typename TypeParam::Scalar;
  const Network shape = mlp(2, 1, 1, 5);
  const JetSpec spec = JetSpec::closure(2, {});
  test::Guarded<TypeParam> theta(shape.parameters()), x(0), seed(0), gradient(shape.parameters(), 1);
  network_backward<T>(test::executor_of<TypeParam>(), shape, spec, theta.cview(theta.size()),
                      x.cview(1, 2, 0), seed.cview(1, 1, 0), gradient.view(theta.size()));
  for (std::size_t i = 0; i < gradient.size(); ++i) EXPECT_EQ(gradient[i], T(0));
}

#if SOBOLEV_HAS_CUDA
// Against float64, relative to Σ |w x|: no better than the name says, and no worse.
TEST(NetworkProductsCuda, RoundAsTheirNamesSay) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const Network shape = mlp(64, 1, 1, 128, Activation::softplus);
  const JetSpec spec = JetSpec::closure(2, {});
  const std::size_t n = 64, p = shape.parameters();
  test::Guarded<test::On<Cuda, float>> theta(p, 1), x(64 * n, 2), y(n, 3);
  test::Guarded<double> theta_(p), x_(64 * n), y_(n);
  // A last layer that sums, and inputs so large that softplus is the identity or 0.
  for (std::size_t i = shape.instructions()[1].weight; i < p; ++i) theta[i] = 1;
  for (std::size_t i = 0; i < p; ++i) theta_[i] = theta[i];
  for (std::size_t i = 0; i < x.size(); ++i) x_[i] = x[i];
  network_forward<double>(Cpu(1), shape, spec, theta_.cview(p), x_.cview(1, 64, n), y_.view(1, 1, n));
  const auto error = [&](Products products) {
    network_forward<float>(test::executor<Cuda>().with(products), shape, spec, theta.cview(p),
                           x.cview(1, 64, n), y.view(1, 1, n));
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, std::abs(double(y[i]) - y_[i]) / y_[i]);
    return worst;
  };
  const double ieee = error(Products::ieee), tf32x3 = error(Products::tf32x3),
               bf16x3 = error(Products::bf16x3), tf32 = error(Products::tf32);
  EXPECT_LT(ieee, 0x1p-20);
  EXPECT_LT(tf32x3, 0x1p-19);
  EXPECT_LT(bf16x3, 0x1p-16);
  EXPECT_GT(bf16x3, 0x1p-22);
  EXPECT_LT(tf32, 0x1p-10);
  EXPECT_GT(tf32, 0x1p-16);
  EXPECT_LT(tf32x3, bf16x3);
  EXPECT_LT(bf16x3, tf32);
  RecordProperty("ieee, 3xtf32, 3xbf16, tf32",
                 testing::PrintToString(std::vector{ieee, tf32x3, bf16x3, tf32}));
}
#endif

TEST(NetworkGradient, AgreesWithFiniteDifferences) {
  std::vector<Network> networks = {
      mlp(3, 2, 2, 9), modified_mlp(3, 1, 2, 7),    pirate(3, 1, 2, 6), residual_of_inputs(3),
      branches(3, 6),  branches(3, 5).factorized(), gaussians(3, 11),   full_gaussians(3, 11)};
  for (Activation activation : {Activation::sin, Activation::gelu, Activation::swish, Activation::softplus})
    networks.push_back(branches(3, 6, activation));
  for (const Network& shape : networks)
    for (const Case& c : cases()) {
      SCOPED_TRACE(c.name);
      const JetSpec spec = spec_of(c);
      const std::size_t k = std::size_t(spec.channels()), n = 37;
      const std::size_t in = 3, out = std::size_t(shape.outputs()), p = shape.parameters();
      test::Guarded<double> theta(p, 1, 0.5), x(k * in * n, 2, 0.5), seed(k * out * n, 3), y(k * out * n, 4),
          gradient(p, 5);
      network_backward<double>(Cpu(2), shape, spec, theta.cview(p), x.cview(k, in, n), seed.cview(k, out, n),
                               gradient.view(p));
      const auto objective = [&] {
        network_forward<double>(Cpu(2), shape, spec, theta.cview(p), x.cview(k, in, n), y.view(k, out, n));
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * seed[i];
        return sum;
      };
      for (std::size_t i = 0; i < p; i += 7) {
        const double h = 1e-5, at = theta[i];
        theta[i] = at + h;
        const double above = objective();
        theta[i] = at - h;
        const double below = objective();
        theta[i] = at;
        const double want = (above - below) / (2 * h);
        EXPECT_NEAR(gradient[i], want, 1e-6 * (1 + std::abs(want))) << "parameter " << i;
      }
    }
}

TEST(NetworkGradient, HasTheSameBitsWithAnyNumberOfThreads) {
  const JetSpec spec = spec_of(cases()[3]);
  const std::size_t k = std::size_t(spec.channels()), n = 1000;
  const Network shape = mlp(4, 1, 3, 40);
  test::Guarded<float> theta(shape.parameters(), 1, 0.3), x(k * 4 * n, 2), seed(k * n, 3),
      one(shape.parameters(), 4), three(shape.parameters(), 5);
  network_backward<float>(Cpu(1), shape, spec, theta.cview(theta.size()), x.cview(k, 4, n),
                          seed.cview(k, 1, n), one.view(one.size()));
  network_backward<float>(Cpu(3), shape, spec, theta.cview(theta.size()), x.cview(k, 4, n),
                          seed.cview(k, 1, n), three.view(three.size()));
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i], three[i]);
}

TEST(NetworkShapes, AreChecked) {
  const JetSpec spec = JetSpec::closure(2, {});
  test::Guarded<double> theta(100), x(6), y(3);
  EXPECT_THROW(network_forward<double>(Cpu(1), mlp(2, 1, 1, 5), spec, theta.cview(100), x.cview(1, 2, 3),
                                       y.view(1, 1, 3)),
               ArgumentError);
  EXPECT_THROW(mlp(2, 1, 0, 5), ArgumentError);
  EXPECT_THROW(mlp(2, 1, 1, 5000), ArgumentError);
  Network n(2);
  EXPECT_THROW(n.validate(), ArgumentError);  // no output
  const int first = n.dense(0, 4), second = n.dense(0, 5);
  EXPECT_THROW(n.gate(first, first, second), ArgumentError);
  EXPECT_THROW(n.blend(first, 7), ArgumentError);
  n.output(first, 1);
  EXPECT_THROW(n.validate(), ArgumentError);  // nothing reads the second
  n.output(second, 1);
  n.validate();
}

TEST(NetworkShapes, NameTheirArrays) {
  Network n = residual_of_inputs(4);
  n.output(n.gaussian(0, 3), 1);
  n.output(n.gaussian(0, 2, true), 1);
  EXPECT_THROW(n.gaussian(1, 3), ArgumentError);  // of the inputs only
  EXPECT_THROW(Network(9).gaussian(0, 3, true), ArgumentError);
  std::size_t end = 0;
  std::string names;
  for (const ParameterArray& a : n.arrays()) {
    EXPECT_EQ(a.offset, end);
    std::size_t size = 1;
    for (std::size_t extent : a.shape) size *= extent;
    end += size;
    names += a.name + " ";
  }
  EXPECT_EQ(end, n.parameters());
  EXPECT_EQ(names,
            "layers.0.weight layers.0.bias layers.1.weight layers.1.bias blends.0.alpha layers.2.weight "
            "layers.2.bias layers.3.weight layers.3.bias layers.4.weight layers.4.bias "
            "gaussians.0.centre gaussians.0.log_width layers.5.weight layers.5.bias gaussians.1.centre "
            "gaussians.1.log_width gaussians.1.shear layers.6.weight layers.6.bias ");
}
}  // namespace
}  // namespace sobolev
