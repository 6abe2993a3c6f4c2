// SPDX-License-Identifier: Apache-2.0
// How models are trained: losses, schedules, roll-outs, noise, early ends, data that are not in memory.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "sobolev/core/random.hpp"
#include "sobolev/operators/operator_model.hpp"
#include "src/operators/operator_objective.hpp"
#include "tests/io/temporary_folder.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

/// Waves that travel, u(x, t) = Σ a sin 2π(k x + p) turned by k/20 a step, and fade by the number in c.
std::filesystem::path write_waves(const TemporaryFolder& folder, const std::string& name, std::size_t samples,
                                  std::size_t times, std::size_t points) {
  const std::filesystem::path path = folder / name;
  std::vector<double> u(samples * times * points), c(samples * points);
  for (std::size_t s = 0; s < samples; ++s) {
    const Philox random(4, s);
    const double fade = 0.9 + 0.1 * random.uniform(50);
    for (std::size_t i = 0; i < points; ++i) {
      c[s * points + i] = fade;
      for (std::size_t t = 0; t < times; ++t)
        for (std::size_t k = 1; k <= 2; ++k) {
          const double place = double(k * i) / double(points) + double(k * t) / 20 + random.uniform(10 + k);
          u[(s * times + t) * points + i] +=
              random.normal(k) * std::pow(fade, double(t)) * std::sin(2 * std::numbers::pi * place);
        }
    }
  }
  ArrayFileWriter file(path);
  file.create<double>("u", {samples, times, points});
  file.write<double>("u", 0, View<const double, 2>(u.data(), samples, times * points));
  file.create<double>("c", {samples, points});
  file.write<double>("c", 0, View<const double, 2>(c.data(), samples, points));
  file.finish();
  return path;
}

OperatorFile waves(const std::filesystem::path& data, const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> all{"data.file=\"" + data.string() + "\""};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return OperatorFile::from_string(R"(
[model]
kind = "fno"
modes = 3
width = 6
layers = 1
projection = 8
coordinates = false

[data]
file = "?"
inputs = ["u[0:2]", "c"]
outputs = "u[2:6]"
rollout = true
train = 8
test = 4

[training]
batch = 4
epochs = 3
learning_rate = 5e-3
precision = "float64"
)",
                                   "waves.toml", all);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v / double(values.size());
  return sum;
}

/// The objective of a training, on its first windows.
template <class T, class E>
struct Rolled {
  OperatorFile file;
  ArrayFile data{file.file};
  detail::OperatorLayout layout = detail::layout_of(file);
  std::size_t steps;
  detail::OperatorSamples<T> samples{data, layout, file, 0, file.train, true};
  detail::Normalisers normal = detail::normalisers(samples, layout);
  FieldNetwork network = file.network(1, layout.inputs.size(), layout.outputs.size());
  detail::OperatorBatch<T> batch;
  detail::OperatorObjective<T, E> objective;

  Rolled(const E& executor, const OperatorFile& f, std::size_t m, std::size_t start)
      : file(f),
        steps(m),
        objective(executor, network, samples.grid(), 3, normal.outputs, layout, m, f.loss, f.periodic) {
    detail::gather(samples, layout, normal, {{2, start}, {0, start}, {5, start}}, m, true, batch);
    objective.set(batch);
  }
};

#if SOBOLEV_HAS_CUDA
using Executors = ::testing::Types<Cpu, Cuda>;
#else
using Executors = ::testing::Types<Cpu>;
#endif
struct ExecutorNames {
  template <class E>
  static std::string GetName(int) {
    return std::is_same_v<E, Cpu> ? "Cpu" : "Cuda";
  }
};
template <class E>
class OperatorRollout : public ::testing::Test {
 protected:
  void SetUp() override {
#if SOBOLEV_HAS_CUDA
    if (std::is_same_v<E, Cuda> && Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
#endif
  }
  static E executor() {
    if constexpr (std::is_same_v<E, Cpu>)
      return Cpu(2);
    else
      return E(0);
  }
};
TYPED_TEST_SUITE(OperatorRollout, Executors, ExecutorNames);

TYPED_TEST(OperatorRollout, TheGradientPassesThroughAllSteps) {
  using E = TypeParam;
  const E executor = this->executor();
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 12, 6, 8);
  for (const char* loss : {"l2", "h1", "h1_fourier"}) {
    Rolled<double, E> rolled(executor, waves(data, {std::string("training.loss=") + loss}), 3, 1);
    std::vector<double> theta = rolled.network.initial_parameters(5);
    auto on_device = zeros<double>(executor, theta.size()), gradient = zeros<double>(executor, theta.size());
    const auto put = [&] {
      upload<double, 1>(executor, View<const double, 1>(theta.data(), theta.size()),
                        View<double, 1>(on_device.data(), theta.size()));
      return View<const double, 1>(on_device.data(), theta.size());
    };
    const double at_start = rolled.objective.loss(put());
    EXPECT_EQ(rolled.objective.loss_gradient(put(), View<double, 1>(gradient.data(), theta.size())),
              at_start);
    std::vector<double> got(theta.size());
    download<double, 1>(executor, View<const double, 1>(gradient.data(), got.size()),
                        View<double, 1>(got.data(), got.size()));
    double largest = 0;
    for (const double g : got) largest = std::max(largest, std::abs(g));
    const std::size_t step = std::is_same_v<E, Cpu> ? 1 : 1 + theta.size() / 5;
    for (std::size_t i = 0; i < theta.size(); i += step) {
      const double before = theta[i], h = 1e-5;
      theta[i] = before + h;
      const double up = rolled.objective.loss(put());
      theta[i] = before - h;
      const double down = rolled.objective.loss(put());
      theta[i] = before;
      ASSERT_NEAR(got[i], (up - down) / (2 * h), 1e-6 * (1 + largest)) << loss << " " << i;
    }
  }
}

TEST(OperatorTraining, RollsOutAsItsModelDoes) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 12, 6, 16);
  const OperatorTraining training = train_operator(Cpu(2), waves(data));
  ASSERT_EQ(training.step_errors.size(), 4u);
  // One step after another by hand, from frames in the data's units.
  const FieldData<double> x = read_fields<double>(ArrayFile(data), {"u[0:2]", "c"}, 8, 4),
                          want = read_fields<double>(ArrayFile(data), {"u[2:6]"}, 8, 4),
                          rolled = training.model.roll_out(Cpu(1), x, 4);
  FieldData<double> now = x;
  ASSERT_EQ(rolled.channels, 4u);
  std::vector<double> errors(4), norms(4), step_errors(4);
  for (std::size_t t = 0; t < 4; ++t) {
    const FieldData<double> y = training.model.apply(Cpu(1), now);
    for (std::size_t s = 0; s < 4; ++s) {
      double error = 0, norm = 0;
      for (std::size_t p = s * 16; p < (s + 1) * 16; ++p) {
        EXPECT_NEAR(rolled.values[p * 4 + t], y.values[p], 1e-12);
        error += std::pow(y.values[p] - want.values[p * 4 + t], 2);
        norm += std::pow(want.values[p * 4 + t], 2);
        now.values[p * 3] = now.values[p * 3 + 1];
        now.values[p * 3 + 1] = y.values[p];
      }
      errors[s] += error;
      norms[s] += norm;
      step_errors[t] += std::sqrt(error / norm) / 4;
    }
    EXPECT_NEAR(training.step_errors[t], step_errors[t], 1e-10);
  }
  for (std::size_t s = 0; s < 4; ++s)
    EXPECT_NEAR(training.test_errors[s], std::sqrt(errors[s] / norms[s]), 1e-10);
  EXPECT_EQ(training.sample_output.values.size(), training.sample_target.values.size());
  EXPECT_THROW(training.model.roll_out(Cpu(1), x, 0), ArgumentError);
}

TEST(OperatorTraining, LearnsToRollOutFromPairs) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 40, 6, 16);
  const OperatorFile file = waves(data, {"data.train=32", "data.test=8", "training.unroll=1",
                                         "training.epochs=60", "training.schedule=\"one_cycle\""});
  const OperatorTraining training = train_operator(Cpu(2), file);
  EXPECT_EQ(training.iterations, 60 * 32 * 4 / 4) << "four windows of each sample";
  EXPECT_LT(mean(training.test_errors), 0.1);
  EXPECT_LT(training.step_errors.front(), training.step_errors.back());
  EXPECT_GT(mean(training.test_h1_errors), 0);
}

TEST(OperatorTraining, SaysWhichNamesMakeNoRollout) {
  const auto message = [](const std::vector<std::string>& overrides) {
    return message_of<ParseError>([&] { waves("x.npz", overrides); });
  };
  EXPECT_THAT(message({"data.inputs=\"u[0:3]\""}), AllOf(HasSubstr("u[2:6]"), HasSubstr("u[…:2]")));
  EXPECT_THAT(message({"data.outputs=[\"u[2:6]\", \"v[2:5]\"]", "data.inputs=[\"u[1:2]\", \"v[1:2]\"]"}),
              HasSubstr("as many times"));
  EXPECT_THAT(message({"data.outputs=[\"u[2:6]\", \"u[2:6]\"]"}), HasSubstr("twice"));
  EXPECT_THAT(message({"training.unroll=5"}), HasSubstr("has 4 times"));
}

TEST(OperatorTraining, EachLossIsTheOneThatFalls) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 12, 6, 16);
  for (const char* loss : {"l2", "h1", "h1_fourier"}) {
    const OperatorTraining training = train_operator(
        Cpu(2), waves(data, {"data.rollout=false", "data.outputs=\"u[2]\"", "training.epochs=100",
                             std::string("training.loss=") + loss, "data.periodic=true"}));
    EXPECT_LT(training.history.back().loss, 0.5 * training.history.front().loss) << loss;
    EXPECT_EQ(training.test_h1_errors.size(), 4u);
    EXPECT_TRUE(training.step_errors.empty());
  }
}

/// Stops a training after so many iterations and goes on with it: the same as in one piece.
void goes_on_to_the_same_bits(const OperatorFile& file, const TemporaryFolder& folder, long where) {
  const OperatorTraining whole = train_operator(Cpu(2), file);
  std::atomic<bool> stop = false;
  OperatorTrainingOptions options;
  options.checkpoint = folder / "checkpoint.safetensors";
  options.stop = &stop;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress& progress) { stop = progress.row.iteration >= where; };
  const OperatorTraining part = train_operator(Cpu(1), file, options);
  EXPECT_FALSE(part.finished);
  stop = false;
  options.on_progress = {};
  const OperatorTraining rest = resume_operator(Cpu(2), options.checkpoint, options);
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(rest.iterations, whole.iterations);
  EXPECT_EQ(rest.stopped_because, whole.stopped_because);
  EXPECT_EQ(rest.model.parameters(), whole.model.parameters());
  EXPECT_EQ(rest.test_errors, whole.test_errors);
  EXPECT_EQ(rest.validation_error, whole.validation_error);
  EXPECT_EQ(rest.best_epoch, whole.best_epoch);
  EXPECT_EQ(OperatorModel::load(options.checkpoint).parameters(), whole.model.parameters());
}

TEST(OperatorTraining, NoiseAndRolloutGoOnToTheSameBits) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 12, 6, 8);
  const OperatorFile noisy = waves(data, {"training.noise=0.1", "training.unroll=2"});
  goes_on_to_the_same_bits(noisy, folder, 5);
  EXPECT_NE(train_operator(Cpu(1), noisy).model.parameters(),
            train_operator(Cpu(1), waves(data, {"training.unroll=2"})).model.parameters());
}

TEST(OperatorTraining, KeepsTheBestAndEndsEarly) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 16, 6, 8);
  // A rate so large that the error soon stops falling.
  const OperatorFile file = waves(data, {"data.validation=4", "training.early_stop=3", "training.epochs=1000",
                                         "training.schedule=\"constant\"", "training.learning_rate=0.1"});
  const OperatorTraining training = train_operator(Cpu(2), file);
  EXPECT_TRUE(training.finished);
  EXPECT_THAT(training.stopped_because, HasSubstr("in 3 epochs"));
  EXPECT_EQ(training.epochs, training.best_epoch + 3);
  ASSERT_TRUE(training.validation_error);
  // The model is that of the smallest error, which the history has.
  double least = 1e300;
  for (const HistoryRow& row : training.history) least = std::min(least, row.relative_l2.value_or(1e300));
  EXPECT_EQ(least, *training.validation_error);
  const FieldData<double> x = read_fields<double>(ArrayFile(data), {"u[0:2]", "c"}, 8, 4),
                          want = read_fields<double>(ArrayFile(data), {"u[2:6]"}, 8, 4),
                          got = training.model.roll_out(Cpu(1), x, 4);
  double error = 0;
  for (std::size_t s = 0; s < 4; ++s) {
    double e = 0, n = 0;
    for (std::size_t i = s * 32; i < (s + 1) * 32; ++i) {
      e += std::pow(got.values[i] - want.values[i], 2);
      n += std::pow(want.values[i], 2);
    }
    error += std::sqrt(e / n) / 4;
  }
  EXPECT_NEAR(error, *training.validation_error, 1e-10);
  goes_on_to_the_same_bits(file, folder, training.iterations - 1);
}

TEST(OperatorTraining, ReadsWhatIsNotInMemoryToTheSameBits) {
  const TemporaryFolder folder;
  for (const char* name : {"waves.h5", "waves.npz"}) {
    const std::filesystem::path data = write_waves(folder, name, 16, 6, 8);
    for (const char* precision : {"float32", "float64"}) {
      const std::vector<std::string> settings{"data.validation=2", "training.unroll=2", "training.noise=0.01",
                                              std::string("training.precision=") + precision};
      std::vector<std::string> reading = settings;
      reading.emplace_back("data.memory=1e-9");
      const OperatorTraining kept = train_operator(Cpu(2), waves(data, settings)),
                             read = train_operator(Cpu(2), waves(data, reading));
      EXPECT_EQ(read.model.parameters(), kept.model.parameters());
      EXPECT_EQ(read.model.input_normaliser().mean, kept.model.input_normaliser().mean);
      EXPECT_EQ(read.test_errors, kept.test_errors);
      EXPECT_EQ(read.validation_error, kept.validation_error);
    }
  }
  goes_on_to_the_same_bits(waves(folder / "waves.h5", {"data.memory=1e-9"}), folder, 4);
}

TEST(OperatorTraining, FindsBadNumbersWhileItReads) {
  const TemporaryFolder folder;
  std::vector<double> values(12 * 6 * 8, 1.0);
  values[(3 * 6 + 5) * 8] = std::numeric_limits<double>::quiet_NaN();
  ArrayFileWriter bad(folder / "bad.h5");
  bad.create<double>("u", {12, 6, 8});
  bad.write<double>("u", 0, View<const double, 2>(values.data(), 12, 48));
  bad.finish();
  const std::vector<std::string> settings{"data.inputs=\"u[0:2]\"", "data.memory=1e-9",
                                          "data.normalise=false"};
  EXPECT_THAT(message_of<FileError>([&] { train_operator(Cpu(1), waves(folder / "bad.h5", settings)); }),
              AllOf(HasSubstr("bad.h5"), HasSubstr("sample 3 of u[0:6]"), HasSubstr("nan")));
}

// A field of a group has the mean and the deviation of all its times.
TEST(OperatorLayout, OneQuantityHasOneNormaliser) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 12, 6, 8);
  Rolled<double, Cpu> rolled(Cpu(1), waves(data), 2, 1);
  const ChannelNormaliser &in = rolled.normal.inputs, &out = rolled.normal.outputs;
  const FieldData<double> all = read_fields<double>(ArrayFile(data), {"u[0:6]", "c"}, 0, 8);
  double average = 0, square = 0;
  for (std::size_t p = 0; p < 64; ++p)
    for (std::size_t t = 0; t < 6; ++t) average += all.values[p * 7 + t] / (64 * 6);
  for (std::size_t p = 0; p < 64; ++p)
    for (std::size_t t = 0; t < 6; ++t) square += std::pow(all.values[p * 7 + t] - average, 2) / (64 * 6);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(in.mean[c], average, 1e-14);
    EXPECT_NEAR(in.deviation[c], std::sqrt(square), 1e-14);
  }
  EXPECT_EQ(out.mean[0], in.mean[0]);
  EXPECT_NEAR(in.mean[2], mean([&] {
                std::vector<double> c;
                for (std::size_t p = 0; p < 64; ++p) c.push_back(all.values[p * 7 + 6]);
                return c;
              }()),
              1e-14);
  // Windows that begin at time 1: inputs 1, 2 and targets 3, then 4.
  for (std::size_t p = 0; p < 8; ++p) {
    const double* const sample = all.values.data() + (2 * 8 + p) * 7;
    EXPECT_NEAR(rolled.batch.x[p * 3] * in.deviation[0] + in.mean[0], sample[1], 1e-13);
    EXPECT_NEAR(rolled.batch.x[p * 3 + 1] * in.deviation[0] + in.mean[0], sample[2], 1e-13);
    EXPECT_EQ(rolled.batch.y[p], sample[3]);
    EXPECT_EQ(rolled.batch.y[24 + p], sample[4]);
  }
}

#if SOBOLEV_HAS_CUDA
TEST(OperatorTraining, RollsOutOnACudaDeviceSolve) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const TemporaryFolder folder;
  const std::filesystem::path data = write_waves(folder, "waves.npz", 12, 6, 8);
  const OperatorFile file = waves(
      data, {"data.train=4", "data.test=1", "data.validation=1", "training.epochs=1", "training.unroll=2",
             "training.noise=0.1", "model.width=3", "training.loss=\"h1_fourier\""});
  const OperatorTraining cpu = train_operator(Cpu(2), file), cuda = train_operator(Cuda(0), file);
  EXPECT_NEAR(mean(cuda.test_errors), mean(cpu.test_errors), 1e-8 * mean(cpu.test_errors));
  EXPECT_NEAR(mean(cuda.test_h1_errors), mean(cpu.test_h1_errors), 1e-8 * mean(cpu.test_h1_errors));
  EXPECT_NEAR(*cuda.validation_error, *cpu.validation_error, 1e-8);
}
#endif
}  // namespace
}  // namespace sobolev
