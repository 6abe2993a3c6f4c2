// SPDX-License-Identifier: Apache-2.0
// The network's jets against the definition, in double by plain loops: products of truncated Taylor
// series, tanh by its series. The gradient against finite differences and, exactly, by linearity.
#include "sobolev/jet/mlp.hpp"

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
  /// tanh(z0 + h) from the Taylor coefficients of tanh at z0, powers of h by definition.
  Series hyperbolic_tangent(const Series& z) const {
    const std::size_t zero = number_.at(MultiIndex{});
    const double y = std::tanh(z[zero]);
    std::vector<double> s{y, 1 - y * y};
    for (int k = 1; k < 8; ++k) {
      double sum = 0;
      for (int i = 0; i <= k; ++i) sum += s[std::size_t(i)] * s[std::size_t(k - i)];
      s.push_back(-sum / (k + 1));
    }
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
std::vector<Series> network(const TaylorSeries& taylor, const MlpShape& shape, const T* parameters,
                            std::vector<Series> x) {
  for (int l = 0; l <= shape.depth; ++l) {
    std::vector<Series> out(std::size_t(shape.fan_out(l)), Series(taylor.size()));
    for (std::size_t o = 0; o < out.size(); ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t at = l == shape.depth ? o * x.size() + i : i * out.size() + o;
        const double w = double(parameters[shape.weight_offset(l) + at]);
        for (std::size_t a = 0; a < taylor.size(); ++a) out[o][a] += w * x[i][a];
      }
      out[o][taylor[MultiIndex{}]] += double(parameters[shape.bias_offset(l) + o]);
      if (l < shape.depth) out[o] = taylor.hyperbolic_tangent(out[o]);
    }
    x = std::move(out);
  }
  return x;
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
  };
  return all;
}
JetSpec spec_of(const Case& c) {
  JetSpec spec = JetSpec::closure(2, c.needed);
  for (const auto& terms : c.collapsed) spec = spec.collapse(terms);
  return spec;
}

template <class B>
class Mlp : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Mlp, test::ProductBackEnds, test::BackEndNames);

TYPED_TEST(Mlp, ForwardIsTheTruncatedTaylorSeries) {
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
    for (const MlpShape shape : {MlpShape{2, 1, 1, 5}, MlpShape{3, 2, 2, 20}, MlpShape{2, 1, 2, 33}}) {
      for (std::size_t n : {0, 1, 31, 97}) {
        test::Guarded<TypeParam> theta(shape.parameters(), 1, 0.4),
            x(k * std::size_t(shape.inputs) * n, 2, 0.5), y(k * std::size_t(shape.outputs) * n, 3);
        const std::size_t in = std::size_t(shape.inputs), out = std::size_t(shape.outputs);
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
        mlp_forward<T>(device, shape, spec, theta.cview(theta.size()), x.cview(k, in, n), y.view(k, out, n));
        for (std::size_t p = 0; p < n; ++p) {
          const std::vector<Series> want = network(taylor, shape, theta.data(), inputs[p]);
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
              const double bound = TypeParam::rounding * 8.0 * shape.depth * shape.width *
                                   double(std::numeric_limits<T>::epsilon()) * (1 + scale) *
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
TYPED_TEST(Mlp, BackwardIsThatOfTheCpuInDouble) {
  using T = typename TypeParam::Scalar;
  const auto& device = test::executor_of<TypeParam>();
  const MlpShape shapes[] = {{3, 2, 2, 9, Activation::sin},
                             {2, 1, 1, 12, Activation::gelu},
                             {2, 1, 1, 7, Activation::swish},
                             {2, 1, 1, 17, Activation::softplus},
                             {3, 2, 3, 20},
                             {22, 1, 2, 140}};
  for (const Case& c : cases())
    for (const MlpShape& shape : shapes) {
      SCOPED_TRACE(c.name);
      const JetSpec spec = spec_of(c);
      const std::size_t k = std::size_t(spec.channels()), n = 67, p = shape.parameters(),
                        in = std::size_t(shape.inputs), out = std::size_t(shape.outputs);
      const double scale = 1 / std::sqrt(double(shape.width));
      test::Guarded<TypeParam> theta(p, 1, scale), x(k * in * n, 2, 0.5), seed(k * out * n, 3),
          gradient(p, 5);
      mlp_backward<T>(device, shape, spec, theta.cview(p), x.cview(k, in, n), seed.cview(k, out, n),
                      gradient.view(p));
      test::Guarded<double> theta_(p), x_(k * in * n), seed_(k * out * n), want(p);
      for (std::size_t i = 0; i < p; ++i) theta_[i] = theta[i];
      for (std::size_t i = 0; i < x.size(); ++i) x_[i] = x[i];
      for (std::size_t i = 0; i < seed.size(); ++i) seed_[i] = seed[i];
      mlp_backward<double>(Cpu(1), shape, spec, theta_.cview(p), x_.cview(k, in, n), seed_.cview(k, out, n),
                           want.view(p));
      double largest = 0;
      for (std::size_t i = 0; i < p; ++i) largest = std::max(largest, std::abs(want[i]));
      for (std::size_t i = 0; i < p; ++i)
        ASSERT_NEAR(double(gradient[i]), want[i],
                    TypeParam::rounding * 8 * double(std::numeric_limits<T>::epsilon()) * shape.depth *
                        std::pow(2.0, spec.order()) * (1 + largest))
            << "parameter " << i << ", width " << shape.width;
    }
}

TYPED_TEST(Mlp, NoPointsGiveNoGradient) {
  using T = typename TypeParam::Scalar;
  const MlpShape shape{2, 1, 1, 5};
  const JetSpec spec = JetSpec::closure(2, {});
  test::Guarded<TypeParam> theta(shape.parameters()), x(0), seed(0), gradient(shape.parameters(), 1);
  mlp_backward<T>(test::executor_of<TypeParam>(), shape, spec, theta.cview(theta.size()), x.cview(1, 2, 0),
                  seed.cview(1, 1, 0), gradient.view(theta.size()));
  for (std::size_t i = 0; i < gradient.size(); ++i) EXPECT_EQ(gradient[i], T(0));
}

#if SOBOLEV_HAS_CUDA
// Against float64, relative to Σ |w x|: no better than the name says, and no worse.
TEST(MlpProductsCuda, RoundAsTheirNamesSay) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const MlpShape shape{64, 1, 1, 128, Activation::softplus};
  const JetSpec spec = JetSpec::closure(2, {});
  const std::size_t n = 64, p = shape.parameters();
  test::Guarded<test::On<Cuda, float>> theta(p, 1), x(64 * n, 2), y(n, 3);
  test::Guarded<double> theta_(p), x_(64 * n), y_(n);
  // A last layer that sums, and inputs so large that softplus is the identity or 0.
  for (std::size_t i = shape.weight_offset(1); i < p; ++i) theta[i] = 1;
  for (std::size_t i = 0; i < p; ++i) theta_[i] = theta[i];
  for (std::size_t i = 0; i < x.size(); ++i) x_[i] = x[i];
  mlp_forward<double>(Cpu(1), shape, spec, theta_.cview(p), x_.cview(1, 64, n), y_.view(1, 1, n));
  const auto error = [&](Products products) {
    mlp_forward<float>(test::executor<Cuda>().with(products), shape, spec, theta.cview(p), x.cview(1, 64, n),
                       y.view(1, 1, n));
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

TEST(MlpGradient, AgreesWithFiniteDifferences) {
  for (Activation activation :
       {Activation::tanh, Activation::sin, Activation::gelu, Activation::swish, Activation::softplus})
    for (const Case& c : cases()) {
      SCOPED_TRACE(c.name);
      const JetSpec spec = spec_of(c);
      const std::size_t k = std::size_t(spec.channels()), n = 37;
      const MlpShape shape{3, 2, 2, 9, activation};
      const std::size_t in = 3, out = 2, p = shape.parameters();
      test::Guarded<double> theta(p, 1, 0.5), x(k * in * n, 2, 0.5), seed(k * out * n, 3), y(k * out * n, 4),
          gradient(p, 5);
      mlp_backward<double>(Cpu(2), shape, spec, theta.cview(p), x.cview(k, in, n), seed.cview(k, out, n),
                           gradient.view(p));
      const auto objective = [&] {
        mlp_forward<double>(Cpu(2), shape, spec, theta.cview(p), x.cview(k, in, n), y.view(k, out, n));
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

TEST(MlpGradient, HasTheSameBitsWithAnyNumberOfThreads) {
  const JetSpec spec = spec_of(cases()[3]);
  const std::size_t k = std::size_t(spec.channels()), n = 1000;
  const MlpShape shape{4, 1, 3, 40};
  test::Guarded<float> theta(shape.parameters(), 1, 0.3), x(k * 4 * n, 2), seed(k * n, 3),
      one(shape.parameters(), 4), three(shape.parameters(), 5);
  mlp_backward<float>(Cpu(1), shape, spec, theta.cview(theta.size()), x.cview(k, 4, n), seed.cview(k, 1, n),
                      one.view(one.size()));
  mlp_backward<float>(Cpu(3), shape, spec, theta.cview(theta.size()), x.cview(k, 4, n), seed.cview(k, 1, n),
                      three.view(three.size()));
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i], three[i]);
}

TEST(MlpShapes, AreChecked) {
  const JetSpec spec = JetSpec::closure(2, {});
  test::Guarded<double> theta(100), x(6), y(3);
  EXPECT_THROW(
      mlp_forward<double>(Cpu(1), {2, 1, 1, 5}, spec, theta.cview(100), x.cview(1, 2, 3), y.view(1, 1, 3)),
      ArgumentError);
  EXPECT_THROW((MlpShape{2, 1, 0, 5}.validate()), ArgumentError);
  EXPECT_THROW((MlpShape{2, 1, 1, 5000}.validate()), ArgumentError);
}
}  // namespace
}  // namespace sobolev
