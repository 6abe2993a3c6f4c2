// SPDX-License-Identifier: Apache-2.0
// compile, tape_forward and tape_reverse against evaluate(), symbolic derivatives and finite differences.
#include "sobolev/expression/tape.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/expression/tape_tile.hpp"
#include "sobolev/core/buffer.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using testing::HasSubstr;

const Expr x = coordinate("x"), t = coordinate("t"), u = unknown("u");
const std::vector<Expr> leaves{x, t};

Tape tape_of(std::vector<Expr> outputs, std::vector<Expr> inputs = leaves) {
  return compile(outputs, inputs);
}
std::vector<TapeOp> operations(const Tape& tape) {
  std::vector<TapeOp> ops;
  for (const TapeInstruction& i : tape.instructions) ops.push_back(i.op);
  return ops;
}

/// An array [rows, N] between bands of NaN; (row, point) is on the host, view() where B computes.
template <class B>
class Array {
 public:
  using T = typename test::Guarded<B>::T;
  Array(std::size_t rows, std::size_t n) : rows_(rows), n_(n), data_(rows * n) {}
  T& operator()(std::size_t row, std::size_t point) { return data_[row * n_ + point]; }
  View<T, 2> view() { return data_.view(rows_, n_); }
  View<T, 2> on_host() { return View<T, 2>(data_.data(), rows_, n_); }

 private:
  std::size_t rows_, n_;
  test::Guarded<B> data_;
};

/// x in [low, high) and t in [-1.5, 1.5), random.
template <class T>
void fill(View<T, 2> points, double low, double high) {
  const Philox random(2024, 7);
  for (std::size_t p = 0; p < points.extent(1); ++p) {
    const auto [first, second] = random.uniform2(p);
    points(0, p) = T(low + (high - low) * first);
    points(1, p) = T(3 * second - 1.5);
  }
}

struct Operation {
  const char* name;
  Expr e;
  double low, high;  // where x may be
  double growth;     // of the contract, in eps
};
/// Each instruction alone, so that its own error shows.
std::vector<Operation> single_operations() {
  const Expr c = 0.3;
  return {{"constant", c, -2, 2, 1},
          {"add", x + t, -2, 2, 5},
          {"subtract", x - t, -2, 2, 5},
          {"multiply", x * t, -2, 2, 5},
          {"divide", x / t, -2, 2, 5},
          {"add constant", x + Expr(0.25), -2, 2, 5},
          {"subtract from constant", Expr(0.25) - x, -2, 2, 5},
          {"subtract constant", x - Expr(0.25), -2, 2, 5},
          {"multiply constant", c * x, -2, 2, 5},
          {"divide constant", c / x, -2, 2, 5},
          {"divide by constant", x / Expr(0.7), -2, 2, 5},
          {"divide by a power of two", x / Expr(-8.0), -2, 2, 5},
          {"minimum", min(x, t), -2, 2, 5},
          {"maximum", max(x, t), -2, 2, 5},
          {"power", pow(x, t), 0.01, 30, 8},
          {"cube root", pow(x, Expr(1.0 / 3)), 1e-30, 1e-29, 8},
          {"real power", pow(x, Expr(-2.7)), 0.01, 30, 8},
          {"square", pow(x, Expr(2.0)), -3, 3, 8},
          {"cube", pow(x, Expr(3.0)), -3, 3, 8},
          {"power 7", pow(x, Expr(7.0)), -3, 3, 8},
          {"power 15", pow(x, Expr(15.0)), -3, 3, 8},
          {"power 16", pow(x, Expr(16.0)), -3, 3, 8},
          {"power 17", pow(x, Expr(17.0)), -3, 3, 8},
          {"power 60", pow(x, Expr(60.0)), -2, 2, 8},
          {"power -3", pow(x, Expr(-3.0)), -3, 3, 8},
          {"negate", -x, -2, 2, 5},
          {"sin", sin(x), -20, 20, 5},
          {"cos", cos(x), -20, 20, 5},
          {"tan", tan(x), -20, 20, 5},
          {"asin", asin(x), -1, 1, 5},
          {"acos", acos(x), -1, 1, 5},
          {"atan", atan(x), -20, 20, 5},
          {"sinh", sinh(x), -20, 20, 5},
          {"cosh", cosh(x), -20, 20, 5},
          {"tanh", tanh(x), -6, 6, 5},
          {"exp", exp(x), -20, 20, 5},
          {"log", log(x), 0.01, 30, 5},
          {"sqrt", sqrt(x), 0, 30, 5},
          {"abs", abs(x), -2, 2, 5},
          {"sign", sign(x), -2, 2, 5},
          {"erf", erf(x), -4, 4, 5},
          {"erfc", erfc(x), -4, 4, 5},
          {"heaviside", heaviside(x), -2, 2, 5}};
}

template <class B>
class TapeTyped : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(TapeTyped, test::BackEnds, test::BackEndNames);
using Scalars = testing::Types<float, double>;

constexpr std::size_t sizes[] = {0, 1, 31, 32, 33, 257};

TYPED_TEST(TapeTyped, ForwardKeepsTheErrorOfTheContract) {
  using T = typename TypeParam::Scalar;
  const auto& device = test::executor<typename TypeParam::Executor>();
  for (const Operation& op : single_operations()) {
    const Tape tape = tape_of({op.e});
    for (std::size_t n : sizes) {
      Array<TypeParam> in(2, n), out(1, n);
      fill<T>(in.on_host(), op.low, op.high);
      tape_forward<T>(device, tape, in.view(), out.view());
      for (std::size_t p = 0; p < n; ++p) {
        const double want = evaluate(op.e, {{x, in(0, p)}, {t, in(1, p)}});
        ASSERT_NEAR(
            out(0, p), want,
            std::numeric_limits<T>::min() + op.growth * std::numeric_limits<T>::epsilon() * std::abs(want))
            << op.name << " at " << in(0, p) << ", " << in(1, p);
      }
    }
  }
}

// The adjoint of one instruction: its slope errs by a few roundings of terms of its own size.
TYPED_TEST(TapeTyped, ReverseIsTheSymbolicDerivative) {
  using T = typename TypeParam::Scalar;
  const auto& device = test::executor<typename TypeParam::Executor>();
  const double eps = std::numeric_limits<T>::epsilon();
  for (const Operation& op : single_operations()) {
    const Tape tape = tape_of({op.e});
    const Expr slopes[] = {partial(op.e, x), partial(op.e, t)};
    for (std::size_t n : sizes) {
      Array<TypeParam> in(2, n), seed(1, n), out(1, n), again(1, n), bar(2, n);
      fill<T>(in.on_host(), op.low, op.high);
      for (std::size_t p = 0; p < n; ++p) seed(0, p) = T(1.25 - 0.01 * double(p));
      tape_forward<T>(device, tape, in.view(), again.view());
      tape_reverse<T>(device, tape, in.view(), seed.view(), out.view(), bar.view());
      for (std::size_t p = 0; p < n; ++p) {
        ASSERT_EQ(out(0, p), again(0, p)) << op.name;
        const double at_x = in(0, p), at_t = in(1, p);
        for (std::size_t i = 0; i < 2; ++i) {
          const double want = seed(0, p) * evaluate(slopes[i], {{x, at_x}, {t, at_t}});
          // 1 - tanh^2 and the like cancel, and the argument's own rounding is amplified by the function's
          // slope.
          ASSERT_NEAR(bar(i, p), want, 32 * eps * (1 + std::abs(want)))
              << op.name << " at " << at_x << ", " << at_t;
        }
      }
    }
  }
}

std::vector<Expr> composite_outputs() {
  const Expr wave = exp(-x * x) * sin(Expr(3.0) * x * t);
  return {wave + tanh(wave * x) / (Expr(1.5) + cos(t)),
          sqrt(Expr(1.0) + wave * wave) * t,
          x,
          wave,
          Expr(2.5),
          max(wave, t) - min(x, wave) + pow(Expr(1.0) + x * x, t),
          wave};
}

// Several outputs that share subexpressions, one of them an input, one a constant, one twice.
TEST(TapeReverse, AgreesWithFiniteDifferencesOfForward) {
  const std::vector<Expr> outputs = composite_outputs();
  const Tape tape = tape_of(outputs);
  const std::size_t n = 131, count = outputs.size();
  const Cpu cpu(2);
  Array<double> in(2, n), seed(count, n), out(count, n), bar(2, n), above(count, n), below(count, n);
  fill<double>(in.on_host(), -1.5, 1.5);
  for (std::size_t o = 0; o < count; ++o)
    for (std::size_t p = 0; p < n; ++p) seed(o, p) = std::cos(double(3 * o + p));
  tape_reverse<double>(cpu, tape, in.view(), seed.view(), out.view(), bar.view());
  const double h = 1e-6;
  for (std::size_t i = 0; i < 2; ++i) {
    Array<double> moved(2, n);
    std::copy(in.view().begin(), in.view().end(), moved.view().begin());
    for (std::size_t p = 0; p < n; ++p) moved(i, p) = in(i, p) + h;
    tape_forward<double>(cpu, tape, moved.view(), above.view());
    for (std::size_t p = 0; p < n; ++p) moved(i, p) = in(i, p) - h;
    tape_forward<double>(cpu, tape, moved.view(), below.view());
    for (std::size_t p = 0; p < n; ++p) {
      double want = 0;
      for (std::size_t o = 0; o < count; ++o) want += seed(o, p) * (above(o, p) - below(o, p)) / (2 * h);
      ASSERT_NEAR(bar(i, p), want, 2e-8 * (1 + std::abs(want))) << "input " << i << ", point " << p;
    }
  }
}

template <class T>
class TapeOnCpu : public testing::Test {};
TYPED_TEST_SUITE(TapeOnCpu, Scalars);

TYPED_TEST(TapeOnCpu, ResultsDoNotDependOnTheThreads) {
  using T = TypeParam;
  const std::vector<Expr> outputs = composite_outputs();
  const Tape tape = tape_of(outputs);
  const std::size_t n = 1009, count = outputs.size();
  std::vector<std::vector<T>> results;
  for (int threads : {1, 2, 5}) {
    Array<T> in(2, n), seed(count, n), out(count, n), bar(2, n);
    fill<T>(in.on_host(), -1.5, 1.5);
    std::fill(seed.view().begin(), seed.view().end(), T(0.75));
    tape_reverse<T>(Cpu(threads), tape, in.view(), seed.view(), out.view(), bar.view());
    std::vector<T> all(out.view().begin(), out.view().end());
    all.insert(all.end(), bar.view().begin(), bar.view().end());
    results.push_back(std::move(all));
  }
  for (const auto& r : results) EXPECT_EQ(std::memcmp(r.data(), results[0].data(), r.size() * sizeof(T)), 0);
}

/// y and x̄ of one point.
template <class B, class T = typename B::Scalar>
std::array<T, 3> at_point(Expr e, std::type_identity_t<T> at_x, std::type_identity_t<T> at_t) {
  const Tape tape = tape_of({e});
  Array<B> in(2, 1), seed(1, 1), out(1, 1), bar(2, 1);
  in(0, 0) = at_x;
  in(1, 0) = at_t;
  seed(0, 0) = 1;
  tape_reverse<T>(test::executor<typename B::Executor>(), tape, in.view(), seed.view(), out.view(),
                  bar.view());
  return {out(0, 0), bar(0, 0), bar(1, 0)};
}

TYPED_TEST(TapeTyped, SpecialArguments) {
  using T = typename TypeParam::Scalar;
  using Triple = std::array<T, 3>;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN(), zero = 0;
  // Constant exponents: no logarithm of 0, not even hidden.
  EXPECT_EQ(at_point<TypeParam>(pow(x, Expr(2.0)), zero, zero), (Triple{0, 0, 0}));
  EXPECT_EQ(at_point<TypeParam>(pow(x, Expr(1.5)), zero, zero), (Triple{0, 0, 0}));
  EXPECT_EQ(at_point<TypeParam>(pow(x, Expr(20.0)), zero, zero), (Triple{0, 0, 0}));
  EXPECT_EQ(at_point<TypeParam>(pow(x, Expr(3.0)), T(-2), zero), (Triple{-8, 12, 0}));
  EXPECT_EQ(at_point<TypeParam>(pow(x, t), zero, T(2)), (Triple{0, 0, 0}));
  // Kinks: half of either side.
  EXPECT_EQ(at_point<TypeParam>(min(x, t), T(1), T(1)), (Triple{1, T(0.5), T(0.5)}));
  EXPECT_EQ(at_point<TypeParam>(max(x, t), T(1), T(1)), (Triple{1, T(0.5), T(0.5)}));
  EXPECT_EQ(at_point<TypeParam>(max(x, t), T(1), T(2)), (Triple{2, 0, 1}));
  EXPECT_EQ(at_point<TypeParam>(min(x, t), T(1), T(2)), (Triple{1, 1, 0}));
  EXPECT_EQ(at_point<TypeParam>(abs(x), zero, zero), (Triple{0, 0, 0}));
  EXPECT_EQ(at_point<TypeParam>(heaviside(x), zero, zero), (Triple{T(0.5), 0, 0}));
  EXPECT_EQ(at_point<TypeParam>(sign(x), T(-3), zero), (Triple{-1, 0, 0}));
  EXPECT_FALSE(std::signbit(at_point<TypeParam>(abs(x), -zero, zero)[0]));
  EXPECT_TRUE(std::signbit(at_point<TypeParam>(sin(x), -zero, zero)[0]));
  // Limits.
  EXPECT_EQ(at_point<TypeParam>(exp(x), -inf, zero)[0], zero);
  EXPECT_EQ(at_point<TypeParam>(exp(x), inf, zero)[0], inf);
  EXPECT_EQ(at_point<TypeParam>(log(x), zero, zero)[0], -inf);
  EXPECT_EQ(at_point<TypeParam>(tanh(x), inf, zero), (Triple{1, 0, 0}));
  EXPECT_EQ(at_point<TypeParam>(erf(x), -inf, zero)[0], T(-1));
  EXPECT_EQ(at_point<TypeParam>(erfc(x), inf, zero)[0], zero);
  EXPECT_TRUE(std::isnan(at_point<TypeParam>(log(x), T(-1), zero)[0]));
  EXPECT_TRUE(std::isnan(at_point<TypeParam>(sqrt(x), T(-1), zero)[0]));
  EXPECT_TRUE(std::isnan(at_point<TypeParam>(sin(x), inf, zero)[0]));
  for (Expr e :
       {sin(x), cos(x), tanh(x), exp(x), log(x), sqrt(x), abs(x), sign(x), erf(x), erfc(x), x + t, x * x})
    EXPECT_TRUE(std::isnan(at_point<TypeParam>(e, nan, zero)[0])) << to_string(e);
}

template <class T>
using Forward = void (*)(const detail::TapeView&, T*, int, int);
template <class T>
using Reverse = void (*)(const detail::TapeView&, const T*, T*, int, int);
template <class T>
struct Target {
  const char* name;
  Forward<T> forward;
  Reverse<T> reverse;
};
/// Those that this processor can run.
template <class T>
std::vector<Target<T>> targets() {
  std::vector<Target<T>> all{
      {"baseline", target_baseline::tape_forward_tile<T>, target_baseline::tape_reverse_tile<T>}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    all.push_back({"avx2", target_avx2::tape_forward_tile<T>, target_avx2::tape_reverse_tile<T>});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    all.push_back({"avx512", target_avx512::tape_forward_tile<T>, target_avx512::tape_reverse_tile<T>});
#endif
  return all;
}

TYPED_TEST(TapeOnCpu, EveryInstructionSetAgrees) {
  using T = TypeParam;
  constexpr int stride = 64;
  const double eps = std::numeric_limits<T>::epsilon();
  for (const Operation& op : single_operations()) {
    const Tape tape = tape_of({op.e});
    const std::size_t size = std::size_t(tape.registers()) * stride;
    for (int n : {1, 17, 64}) {
      Buffer<T> first, first_bar;
      for (const Target<T>& target : targets<T>()) {
        Buffer<T> registers(size), adjoints(size);
        fill<T>(View<T, 2>(registers.data(), 2, stride), op.low, op.high);
        target.forward(detail::TapeView(tape), registers.data(), stride, n);
        for (int p = 0; p < n; ++p) adjoints[std::size_t(tape.outputs[0]) * stride + std::size_t(p)] = T(1);
        target.reverse(detail::TapeView(tape), registers.data(), adjoints.data(), stride, n);
        if (first.empty()) {
          first = std::move(registers);
          first_bar = std::move(adjoints);
          continue;
        }
        for (std::int32_t r = 0; r < tape.registers(); ++r)
          for (int p = 0; p < n; ++p) {
            const std::size_t i = std::size_t(r) * stride + std::size_t(p);
            ASSERT_NEAR(registers[i], first[i],
                        std::numeric_limits<T>::min() + 2 * op.growth * eps * std::abs(first[i]))
                << op.name << ", " << target.name;
            ASSERT_NEAR(adjoints[i], first_bar[i], 64 * eps * (1 + std::abs(first_bar[i])))
                << op.name << ", " << target.name;
          }
      }
    }
  }
}

TEST(Compile, SharesCommonSubexpressions) {
  const Expr shared = sin(x * t);
  const Tape tape = tape_of({shared + exp(shared), shared * x, shared});
  EXPECT_EQ(tape.instructions.size(), 5u);  // x·t, sin, exp, +, ·
  EXPECT_EQ(tape.outputs.size(), 3u);
  EXPECT_EQ(tape.registers(), 7);
}

TEST(Compile, UsesConstantForms) {
  using enum TapeOp;
  EXPECT_EQ(operations(tape_of({x + Expr(2.0)})), std::vector{add_constant});
  EXPECT_EQ(operations(tape_of({x - Expr(2.0)})), std::vector{add_constant});
  EXPECT_EQ(operations(tape_of({Expr(2.0) - x})), std::vector{subtract_from_constant});
  EXPECT_EQ(operations(tape_of({Expr(3.0) * x})), std::vector{multiply_constant});
  EXPECT_EQ(operations(tape_of({x / Expr(4.0)})), std::vector{multiply_constant});
  EXPECT_EQ(operations(tape_of({Expr(4.0) / x})), std::vector{divide_constant_by});
  EXPECT_EQ(operations(tape_of({x / Expr(3.0)})),
            (std::vector{TapeOp::constant, divide}));  // 1/3 is not exact
  EXPECT_EQ(operations(tape_of({x / Expr(5e-324)})),
            (std::vector{TapeOp::constant, divide}));  // nor is 2^1074
  EXPECT_EQ(operations(tape_of({x * x})), std::vector{square});
  EXPECT_EQ(operations(tape_of({x * x * x})), std::vector{cube});
  EXPECT_EQ(operations(tape_of({pow(x, Expr(4.0))})), (std::vector{square, square}));
  EXPECT_EQ(operations(tape_of({pow(x, Expr(-2.0))})), (std::vector{square, divide_constant_by}));
  EXPECT_EQ(operations(tape_of({pow(x, Expr(2.5))})), std::vector{power_constant});
  EXPECT_EQ(operations(tape_of({pow(x, Expr(5.0)), pow(x, Expr(4.0))})),
            (std::vector{square, square, multiply}));
}

TEST(Compile, ConstantsOfEitherSignOfZeroDiffer) {
  const Tape tape = tape_of({Expr(0.0), Expr(-0.0), Expr(0.0)});
  EXPECT_EQ(tape.outputs[0], tape.outputs[2]);
  EXPECT_NE(tape.outputs[0], tape.outputs[1]);
}

TEST(Compile, NothingUnusedAppears) {
  EXPECT_TRUE(tape_of({x, t, x}).instructions.empty());
  EXPECT_EQ(tape_of({x, t, x}).outputs, (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_TRUE(tape_of({}).instructions.empty());
  EXPECT_EQ(operations(tape_of({Expr(2.0) * sin(x)})),
            (std::vector{TapeOp::sine, TapeOp::multiply_constant}));
  // An input may be any node; what lies below it is not computed.
  EXPECT_EQ(operations(compile(std::vector{exp(sin(x))}, std::vector{sin(x)})),
            std::vector{TapeOp::exponential});
}

TEST(Compile, NamesALeafThatIsNoInput) {
  try {
    tape_of({x + d(u, x, t)});
    FAIL() << "u_tx was accepted";
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("u_tx is not among the inputs"));
  }
}

TEST(Compile, TakesALongSum) {
  Expr e = x;
  for (int i = 0; i < 50000; ++i) e = e + t;
  EXPECT_EQ(tape_of({e}).instructions.size(), 50000u);
}

TEST(TapeErrors, ShapesMustFit) {
  const Tape tape = tape_of({x + t, x});
  Buffer<double> memory(64);
  const auto view = [&](std::size_t rows, std::size_t n) { return View<double, 2>(memory.data(), rows, n); };
  const Cpu cpu(1);
  EXPECT_NO_THROW(tape_forward<double>(cpu, tape, view(2, 3), view(2, 3)));
  EXPECT_THROW(tape_forward<double>(cpu, tape, view(3, 3), view(2, 3)), ArgumentError);
  EXPECT_THROW(tape_forward<double>(cpu, tape, view(2, 3), view(1, 3)), ArgumentError);
  EXPECT_THROW(tape_forward<double>(cpu, tape, view(2, 4), view(2, 3)), ArgumentError);
  EXPECT_THROW(tape_reverse<double>(cpu, tape, view(2, 3), view(2, 2), view(2, 3), view(2, 3)),
               ArgumentError);
  EXPECT_THROW(tape_reverse<double>(cpu, tape, view(2, 3), view(2, 3), view(2, 3), view(3, 3)),
               ArgumentError);
  try {
    tape_forward<double>(cpu, tape, view(3, 5), view(2, 5));
    FAIL();
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("[3, 5]"));
    EXPECT_THAT(error.what(), HasSubstr("2 inputs"));
  }
}

TEST(TapeForward, WithoutInputs) {
  const Tape tape = compile(std::vector{Expr(2.5)}, std::vector<Expr>{});
  double out[3] = {};
  tape_forward<double>(Cpu(1), tape, View<const double, 2>(nullptr, 0, 3), View<double, 2>(out, 1, 3));
  EXPECT_EQ(out[0], 2.5);
  EXPECT_EQ(out[2], 2.5);
}
}  // namespace
}  // namespace sobolev
