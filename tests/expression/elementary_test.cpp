// SPDX-License-Identifier: Apache-2.0
// The oracle is the C library in long double (64-bit mantissa). Errors are in units of the last place.
#include "sobolev/expression/elementary.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>

#include "kernels/expression/elementary_range.hpp"
#include "src/expression/functions.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {

using Reference = long double (*)(long double);
long double sign_of(long double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
long double heaviside_of(long double x) { return x > 0 ? 1 : x < 0 ? 0 : 0.5L; }

struct Case {
  const char* name;
  Op op;
  Reference reference;
  double bound;      // of the contract, in ulp
  double near, far;  // dense sampling in [-near, near]; logarithmic up to far
};
const Case cases[] = {
    {"negate", Op::negate, [](long double x) { return -x; }, 0, 4, 1e30},
    {"sin", Op::sine, std::sin, 2.5, 10, 1e30},
    {"cos", Op::cosine, std::cos, 2.5, 10, 1e30},
    {"tan", Op::tangent, std::tan, 4.5, 10, 1e30},
    {"asin", Op::arcsine, std::asin, 3, 1, 2},
    {"acos", Op::arccosine, std::acos, 3, 1, 2},
    {"atan", Op::arctangent, std::atan, 3, 4, 1e30},
    {"sinh", Op::hyperbolic_sine, std::sinh, 2, 2, 800},
    {"cosh", Op::hyperbolic_cosine, std::cosh, 2, 2, 800},
    {"tanh", Op::hyperbolic_tangent, std::tanh, 4.5, 5, 1e30},
    {"exp", Op::exponential, std::exp, 1.5, 5, 800},
    {"log", Op::logarithm, std::log, 1.5, 4, 1e30},
    {"sqrt", Op::square_root, std::sqrt, 0.5, 4, 1e30},
    {"abs", Op::absolute, std::fabs, 0, 4, 1e30},
    {"sign", Op::sign, sign_of, 0, 4, 1e30},
    {"erf", Op::error_function, std::erf, 1.5, 3, 30},
    {"erfc", Op::complementary_error_function, std::erfc, 4.5, 3, 30},
    {"heaviside", Op::heaviside, heaviside_of, 0, 4, 1e30},
};

/// |got - want| in units of the last place of want, 1e9 for a wrong special value or a lost sign of zero.
template <class T>
double ulps(T got, long double want) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : 1e9;
  const T rounded = T(want);
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : 1e9;
  if (want == 0) return got == 0 && std::signbit(got) == std::signbit(want) ? 0 : 1e9;
  int exponent = Limits::min_exponent;
  if (rounded != 0) std::frexp(rounded, &exponent);
  exponent = std::max(exponent, Limits::min_exponent);
  return double(
      std::fabs((static_cast<long double>(got) - want) / std::ldexp(1.0L, exponent - Limits::digits)));
}

template <class T>
std::vector<T> arguments(const Case& c) {
  using Limits = std::numeric_limits<T>;
  const T inf = Limits::infinity(), pi = T(3.14159265358979323846);
  std::vector<T> x{0,
                   T(-0.0),
                   inf,
                   -inf,
                   Limits::quiet_NaN(),
                   Limits::denorm_min(),
                   -Limits::denorm_min(),
                   Limits::min(),
                   -Limits::min(),
                   Limits::min() / 3,
                   Limits::max(),
                   Limits::lowest(),
                   1,
                   -1,
                   T(0.5),
                   T(-0.5),
                   2,
                   T(1e22),
                   pi,
                   pi / 2,
                   -pi / 4,
                   100 * pi,
                   7000 * pi,
                   11 * pi / 2};
  // The edges of overflow, of underflow and of the reduced ranges.
  for (const double edge :
       {88.72, 89.0, 103.9, 104.5, 709.7,      710.4,      711.0,      745.1,     746.5, 9.01,
        9.1,   9.2,  19.0,  19.1,  1.2e4,      1e5,        1e6,        1e8,       5.9,   10.05,
        10.2,  26.5, 27.2,  28.0,  0.41421356, 2.41421356, 0.70710678, 1.41421356}) {
    const T e = T(edge);
    for (const T v : {std::nextafter(e, T(0)), e, std::nextafter(e, inf)}) {
      x.push_back(v);
      x.push_back(-v);
    }
  }
  const Philox random(11, std::uint64_t(c.op));
  constexpr int dense = 12000;
  for (int i = 0; i < dense; ++i) x.push_back(T(c.near * (2.0 * i / dense - 1)));
  for (int i = 0; i < dense; ++i) x.push_back(T(c.near * (2 * random.uniform(std::uint64_t(i)) - 1)));
  const double low = std::log(1e-35), high = std::log(c.far);
  for (int i = 0; i < dense; ++i) {
    const auto [u, v] = random.uniform2(std::uint64_t(dense + i));
    x.push_back(T((v < 0.5 ? -1 : 1) * std::exp(low + u * (high - low))));
  }
  return x;
}

template <class T>
struct Target {
  const char* name;
  void (*run)(Op, const T*, T*, std::size_t);
  double least_bound = 0;  // where the contract allows more than that of the operation
};
#if SOBOLEV_HAS_CUDA
template <class T>
void run_on_device(Op op, const T* x, T* y, std::size_t n) {
  const Cuda& cuda = test::executor<Cuda>();
  const DeviceBuffer<T> there(cuda, n);
  upload<T, 1>(cuda, View<const T, 1>(x, n), there.view(n));
  elementary<T>(cuda, op, there.view(n), there.view(n));
  download<T, 1>(cuda, there.view(n), View<T, 1>(y, n));
}
#endif
/// The instruction sets that this processor has, and the device.
template <class T>
std::vector<Target<T>> targets() {
  std::vector<Target<T>> found{{"baseline", target_baseline::elementary_range<T>}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    found.push_back({"avx2", target_avx2::elementary_range<T>});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    found.push_back({"avx512", target_avx512::elementary_range<T>});
#endif
#if SOBOLEV_HAS_CUDA
  if (Cuda::count() > 0) found.push_back({"cuda", run_on_device<T>, 5});
#endif
  return found;
}

template <class T>
class Elementary : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Elementary, Types);

TYPED_TEST(Elementary, IsWithinItsBoundOnEveryInstructionSet) {
  using T = TypeParam;
  for (const Case& c : cases) {
    const std::vector<T> x = arguments<T>(c);
    std::vector<long double> want;
    for (const T v : x) want.push_back(c.reference(static_cast<long double>(v)));
    for (const Target<T>& target : targets<T>()) {
      std::vector<T> y(x.size());
      target.run(c.op, x.data(), y.data(), x.size());
      double worst = 0;
      std::size_t at = 0;
      for (std::size_t i = 0; i < x.size(); ++i)
        if (const double e = ulps<T>(y[i], want[i]); e > worst) worst = e, at = i;
      EXPECT_LE(worst, std::max(c.bound, c.bound > 0.5 ? target.least_bound : 0))
          << c.name << " (" << target.name << ") of " << x[at] << " gives " << y[at] << ", not "
          << double(want[at]);
      this->RecordProperty(fmt::format("{}_{}_ulp", c.name, target.name), fmt::format("{:.2f}", worst));
    }
  }
}

TYPED_TEST(Elementary, DoesTheSameForAnyLengthAndInPlace) {
  using T = TypeParam;
  for (const Target<T>& target : targets<T>())
    for (const std::size_t n : {0, 1, 15, 16, 17, 31, 32, 33, 257}) {
      test::Guarded<T> x(n, n), y(n);
      const std::vector<T> before(x.data(), x.data() + n);
      target.run(Op::hyperbolic_tangent, x.data(), y.data(), n);
      for (std::size_t i = 0; i < n; ++i) {
        T alone = 0;
        target.run(Op::hyperbolic_tangent, &x[i], &alone, 1);
        EXPECT_EQ(y[i], alone) << target.name << " element " << i << " of " << n;
        EXPECT_EQ(x[i], before[i]);
      }
      target.run(Op::hyperbolic_tangent, x.data(), x.data(), n);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(x[i], y[i]);
    }
}

TYPED_TEST(Elementary, StaysWithinTheRangeOfTheFunction) {
  using T = TypeParam;
  for (const Target<T>& target : targets<T>()) {
    std::vector<T> x, y(40000);
    for (std::size_t i = 0; i < y.size(); ++i) x.push_back(T(-20 + 40 * double(i) / double(y.size())));
    for (const Op op : {Op::hyperbolic_tangent, Op::sine, Op::cosine, Op::error_function}) {
      target.run(op, x.data(), y.data(), x.size());
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_LE(std::abs(y[i]), T(1)) << target.name << " of " << x[i];
    }
    const T zero = 0;
    T one = 0;
    target.run(Op::cosine, &zero, &one, 1);
    EXPECT_EQ(one, T(1)) << target.name;
    target.run(Op::exponential, &zero, &one, 1);
    EXPECT_EQ(one, T(1)) << target.name;
  }
}

TYPED_TEST(Elementary, DispatchesAndDividesAmongThreads) {
  using T = TypeParam;
  const std::size_t n = 40001;
  test::Guarded<T> x(n, 1), y(n), z(n);
  elementary<T>(Cpu(1), Op::sine, x.cview(n), y.view(n));
  elementary<T>(Cpu(3), Op::sine, x.cview(n), z.view(n));
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_EQ(y[i], z[i]);
    ASSERT_LE(ulps<T>(y[i], std::sin(static_cast<long double>(x[i]))), 2.5);
  }
}

TYPED_TEST(Elementary, RefusesOtherOperationsAndShapes) {
  using T = TypeParam;
  test::Guarded<T> x(3), y(4);
  EXPECT_THROW(elementary<T>(Cpu(1), Op::multiply, x.cview(3), y.view(3)), ArgumentError);
  EXPECT_THROW(elementary<T>(Cpu(1), Op::constant, x.cview(3), y.view(3)), ArgumentError);
  try {
    elementary<T>(Cpu(1), Op::sine, x.cview(3), y.view(4));
    FAIL() << "accepted";
  } catch (const ArgumentError& e) {
    EXPECT_STREQ(e.what(), "elementary: x has 3 elements but y has 4");
  }
}

TEST(ElementaryCases, CoverEveryUnaryFunctionOfTheParser) {
  for (const std::string& name : detail::function_names()) {
    const detail::Function* f = detail::find_function(name);
    if (f->arity != 1) continue;
    EXPECT_TRUE(std::any_of(std::begin(cases), std::end(cases), [&](const Case& c) { return c.op == f->op; }))
        << name;
  }
}

}  // namespace
}  // namespace sobolev
