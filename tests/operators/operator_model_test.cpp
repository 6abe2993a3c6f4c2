// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/operator_model.hpp"

#include <gmock/gmock.h>

#include <numbers>

#include "sobolev/core/random.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/operators/small_operators.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::mean_of;
using testing::message_of;
using testing::small_deeponet;
using testing::small_model;
using testing::small_pino;
using testing::TemporaryFolder;
using testing::write_decay;
using testing::write_integrals;
using testing::write_samples;

TEST(OperatorTraining, LearnsAnOperatorAndKeepsItOnAFinerGrid) {
  const TemporaryFolder folder, finer;
  const OperatorFile file =
      small_model(write_samples(folder, 50, 32), {"training.epochs=200", "model.coordinates=false"});
  OperatorTrainingOptions options;
  options.checkpoint = folder / "checkpoint.safetensors";
  const OperatorTraining training = train_operator(Cpu(2), file, options);
  EXPECT_TRUE(training.finished);
  EXPECT_EQ(training.epochs, 200);
  EXPECT_EQ(training.iterations, 200 * 5);
  ASSERT_EQ(training.test_errors.size(), 10u);
  double mean = 0;
  for (double e : training.test_errors) mean += e / 10;
  EXPECT_LT(mean, 0.05);

  // From its file, on the grid of the training and on one of three times the points.
  const OperatorModel model = OperatorModel::load(options.checkpoint);
  EXPECT_EQ(model.parameters(), training.model.parameters());
  for (const std::size_t points : {32, 96}) {
    const ArrayFile data(write_samples(finer, 50, points));
    const FieldData<double> x = read_fields<double>(data, {"a"}, 40, 10),
                            want = read_fields<double>(data, {"u"}, 40, 10), got = model.apply(Cpu(1), x);
    double error = 0;
    for (std::size_t s = 0; s < 10; ++s) {
      double difference = 0, norm = 0;
      for (std::size_t i = s * points; i < (s + 1) * points; ++i) {
        difference += (got.values[i] - want.values[i]) * (got.values[i] - want.values[i]);
        norm += want.values[i] * want.values[i];
      }
      error += std::sqrt(difference / norm) / 10;
    }
    EXPECT_NEAR(error, mean, points == 32 ? 1e-5 : 0.1 * mean) << points;
  }
}

TEST(OperatorTraining, TrainsMultigridCyclesAndLoadsThem) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_samples(folder, 50, 32);
  const OperatorFile file = OperatorFile::from_string(R"(
[model]
kind = "mgno"
width = 8
layers = 2
smoothing = [[1, 1], 1, 2]
boundary = "periodic"
norm = true

[data]
file = "waves.npz"
inputs = "a"
outputs = "u"
train = 40
test = 10

[training]
batch = 8
epochs = 60
learning_rate = 5e-3
)",
                                                      "mgno.toml", {"data.file=\"" + data.string() + "\""});
  EXPECT_EQ(file.cycle.smoothing, (std::vector<std::pair<int, int>>{{1, 1}, {1, 0}, {2, 0}}));
  OperatorTrainingOptions options;
  options.checkpoint = folder / "checkpoint.safetensors";
  const OperatorTraining training = train_operator(Cpu(2), file, options);
  double mean = 0;
  for (double e : training.test_errors) mean += e / 10;
  EXPECT_LT(mean, 0.1);
  const OperatorModel model = OperatorModel::load(options.checkpoint);
  const FieldData<double> x = read_fields<double>(ArrayFile(data), {"a"}, 40, 10);
  EXPECT_EQ(model.apply(Cpu(1), x).values, training.model.apply(Cpu(1), x).values);
  EXPECT_EQ(model.file().cycle.boundary, Boundary::periodic);
}

TEST(OperatorTraining, TrainsADeepOnetOnAlignedAndUnalignedPoints) {
  const TemporaryFolder folder;
  for (const bool aligned : {true, false}) {
    SCOPED_TRACE(aligned);
    const std::filesystem::path path = write_integrals(folder, 70, aligned);
    const OperatorFile file = small_deeponet(path);
    OperatorTrainingOptions options;
    options.checkpoint = folder / "checkpoint.safetensors";
    const OperatorTraining training = train_operator(Cpu(2), file, options);
    EXPECT_LT(mean_of(training.test_errors), aligned ? 0.03 : 0.06);
    // Read batch by batch: the same bits, of the points too.
    const OperatorTraining kept = train_operator(Cpu(2), small_deeponet(path, {"training.epochs=2"})),
                           read = train_operator(
                               Cpu(2), small_deeponet(path, {"training.epochs=2", "data.memory=1e-9"}));
    EXPECT_EQ(read.model.parameters(), kept.model.parameters());
    EXPECT_EQ(read.model.places().points.mean, kept.model.places().points.mean);
    EXPECT_EQ(read.test_errors, kept.test_errors);
    EXPECT_TRUE(kept.test_h1_errors.empty()) << "points on no grid";

    // From its file, at the points of the data and at others.
    const OperatorModel model = OperatorModel::load(options.checkpoint);
    EXPECT_EQ(model.parameters(), training.model.parameters());
    EXPECT_EQ(model.places().sensors, std::vector<std::size_t>{20});
    const ArrayFile data(path);
    const FieldData<double> u = read_fields<double>(data, {"u"}, 60, 10);
    const FieldData<double> s = model.apply(Cpu(1), u, read_points<double>(data, "y", 70, 60, 10)),
                            want = read_fields<double>(data, {"s"}, 60, 10);
    ASSERT_EQ(s.values.size(), want.values.size());
    std::vector<double> errors;
    for (std::size_t i = 0; i < 10; ++i) {
      double difference = 0, norm = 0;
      for (std::size_t p = i * s.points(); p < (i + 1) * s.points(); ++p) {
        difference += (s.values[p] - want.values[p]) * (s.values[p] - want.values[p]);
        norm += want.values[p] * want.values[p];
      }
      errors.push_back(std::sqrt(difference / norm));
    }
    EXPECT_NEAR(mean_of(errors), mean_of(training.test_errors), 1e-4);
    const FieldData<double> third{{1}, 1, 1, {1.0 / 3}}, at_third = model.apply(Cpu(1), u, third);
    for (std::size_t i = 0; i < 10; ++i) {
      const Philox random(5, 60 + i);
      const double exact = random.normal(0) / 3 + random.normal(1) * std::sin(2.0 / 3) / 2;
      EXPECT_NEAR(at_third.values[i], exact, 0.05);
    }
    EXPECT_THROW(model.apply(Cpu(1), u, FieldData<double>{{1}, 1, 2, {0, 0}}), ArgumentError);
    EXPECT_THROW(model.apply(Cpu(1), FieldData<double>{{19}, 1, 1, std::vector<double>(19)}), ArgumentError);
  }
  // The points of a grid, when none are named: the sensors' here.
  const OperatorFile file =
      small_deeponet(write_integrals(folder, 70, true), {"training.epochs=2", "data.points=\"y\""});
  OperatorFile grid = file;
  grid.points.clear();
  EXPECT_EQ(train_operator(Cpu(1), file).model.parameters(), train_operator(Cpu(1), grid).model.parameters());
}

/// Without a look at the outputs: from the equation and the initial values alone.
TEST(OperatorTraining, LearnsFromAnEquationAlone) {
  const TemporaryFolder folder;
  const OperatorFile file =
      small_pino(write_decay(folder, 24), {"data.train=4", "physics.samples=12", "training.epochs=300"});
  OperatorTrainingOptions options;
  options.checkpoint = folder / "checkpoint.safetensors";
  const OperatorTraining training = train_operator(Cpu(2), file, options);
  EXPECT_LT(mean_of(training.test_errors), 0.08);
  // An input without times is repeated along them, in the model as well.
  const OperatorModel model = OperatorModel::load(options.checkpoint);
  const ArrayFile data(folder / "decay.npz");
  const FieldData<double> got = model.apply(Cpu(1), read_fields<double>(data, {"a"}, 16, 8)),
                          want = read_fields<double>(data, {"u"}, 16, 8);
  EXPECT_EQ(got.grid, want.grid);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < want.values.size(); ++i) {
    difference += (got.values[i] - want.values[i]) * (got.values[i] - want.values[i]);
    norm += want.values[i] * want.values[i];
  }
  EXPECT_LT(std::sqrt(difference / norm), 0.08);
}

TEST(OperatorTraining, GoesOnWithADeepOnetToTheSameBits) {
  const TemporaryFolder folder;
  const OperatorFile file = small_deeponet(write_integrals(folder, 70, false), {"training.epochs=6"});
  const OperatorTraining whole = train_operator(Cpu(2), file);
  std::atomic<bool> stop = false;
  OperatorTrainingOptions options;
  options.checkpoint = folder / "checkpoint.safetensors";
  options.stop = &stop;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress& progress) { stop = progress.row.iteration >= 7; };
  EXPECT_FALSE(train_operator(Cpu(1), file, options).finished);
  stop = false;
  options.on_progress = {};
  EXPECT_EQ(resume_operator(Cpu(2), options.checkpoint, options).model.parameters(),
            whole.model.parameters());
}

class Resumed : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(OperatorTraining, Resumed, ::testing::Bool());
/// Of data, or of equations and further inputs as well.
TEST_P(Resumed, GoesOnToTheSameBits) {
  const TemporaryFolder folder;
  const OperatorFile file =
      GetParam() ? small_pino(write_decay(folder, 60),
                              {"training.epochs=6", "data.train=40", "physics.samples=10", "physics.data=1"})
                 : small_model(write_samples(folder, 50, 16), {"training.epochs=6"});
  const OperatorTraining whole = train_operator(Cpu(2), file);
  std::atomic<bool> stop = false;
  OperatorTrainingOptions options;
  options.checkpoint = folder / "checkpoint.safetensors";
  options.stop = &stop;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress& progress) { stop = progress.row.iteration >= 13; };
  const OperatorTraining part = train_operator(Cpu(1), file, options);
  EXPECT_FALSE(part.finished);
  EXPECT_EQ(part.iterations, 13);
  stop = false;
  options.on_progress = {};
  const OperatorTraining rest = resume_operator(Cpu(2), options.checkpoint, options);
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(rest.iterations, whole.iterations);
  EXPECT_EQ(rest.model.parameters(), whole.model.parameters());
  EXPECT_EQ(rest.test_errors, whole.test_errors);
  // Once more: there is nothing left to do.
  EXPECT_EQ(resume_operator(Cpu(2), options.checkpoint, options).model.parameters(),
            whole.model.parameters());
}

TEST(OperatorTraining, SaysWhatIsWrongWithItsData) {
  const TemporaryFolder folder;
  const std::filesystem::path data = write_samples(folder, 20, 8);
  EXPECT_THAT(message_of<FileError>([&] { train_operator(Cpu(1), small_model(data)); }),
              AllOf(HasSubstr("waves.npz"), HasSubstr("40 samples"), HasSubstr("there are 20")));
  EXPECT_THAT(message_of<FileError>([&] { train_operator(Cpu(1), small_model(folder / "none.npz")); }),
              HasSubstr("none.npz"));
  ArrayFileWriter bad(folder / "bad.npz");
  std::vector<double> values(50 * 8, 1.0);
  values[3 * 8 + 1] = std::numeric_limits<double>::quiet_NaN();
  for (const char* name : {"a", "u"}) {
    bad.create<double>(name, {50, 8});
    bad.write<double>(name, 0, View<const double, 2>(values.data(), 50, 8));
  }
  bad.finish();
  EXPECT_THAT(message_of<FileError>([&] { train_operator(Cpu(1), small_model(folder / "bad.npz")); }),
              AllOf(HasSubstr("sample 3"), HasSubstr("nan")));
  EXPECT_THAT(message_of<FileError>([&] {
                train_operator(Cpu(1),
                               small_deeponet(write_integrals(folder, 70, false), {"data.outputs=\"u\""}));
              }),
              AllOf(HasSubstr("y has the shape [70, 5]"), HasSubstr("[20]")));
  EXPECT_THAT(message_of<ArgumentError>([&] {
                train_operator(Cpu(1), small_model(write_samples(folder, 50, 8), {"model.modes=[2, 2]"}));
              }),
              HasSubstr("model.modes is given for 2 axes"));
}

#if SOBOLEV_HAS_CUDA
TEST(OperatorTraining, TrainsOnACudaDeviceSolve) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const TemporaryFolder folder;
  const OperatorFile file =
      small_model(write_samples(folder, 12, 8),
                  {"training.epochs=2", "data.train=8", "data.test=2", "training.precision=float64"});
  const OperatorTraining cpu = train_operator(Cpu(2), file), cuda = train_operator(Cuda(0), file);
  ASSERT_EQ(cpu.test_errors.size(), cuda.test_errors.size());
  for (std::size_t i = 0; i < cpu.test_errors.size(); ++i)
    EXPECT_NEAR(cuda.test_errors[i], cpu.test_errors[i], 1e-9 * cpu.test_errors[i]);
}

TEST(OperatorTraining, TrainsWithEquationsOnACudaDeviceSolve) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const TemporaryFolder folder;
  const OperatorFile file = small_pino(
      write_decay(folder, 6),
      {"training.epochs=2", "data.train=4", "data.test=2", "model.width=4", "training.precision=float64"});
  const OperatorTraining cpu = train_operator(Cpu(2), file), cuda = train_operator(Cuda(0), file);
  ASSERT_EQ(cpu.test_errors.size(), cuda.test_errors.size());
  for (std::size_t i = 0; i < cpu.test_errors.size(); ++i)
    EXPECT_NEAR(cuda.test_errors[i], cpu.test_errors[i], 1e-9 * cpu.test_errors[i]);
}

TEST(OperatorTraining, TrainsADeepOnetOnACudaDeviceSolve) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const TemporaryFolder folder;
  const OperatorFile file =
      small_deeponet(write_integrals(folder, 12, false),
                     {"training.epochs=2", "data.train=8", "data.test=2", "training.precision=float64"});
  const OperatorTraining cpu = train_operator(Cpu(2), file), cuda = train_operator(Cuda(0), file);
  ASSERT_EQ(cpu.test_errors.size(), cuda.test_errors.size());
  for (std::size_t i = 0; i < cpu.test_errors.size(); ++i)
    EXPECT_NEAR(cuda.test_errors[i], cpu.test_errors[i], 1e-9 * cpu.test_errors[i]);
}
#endif

TEST(OperatorModel, RefusesDamagedFiles) {
  const TemporaryFolder folder;
  const OperatorFile file = small_model(write_samples(folder, 50, 8), {"training.epochs=1"});
  OperatorTrainingOptions options;
  options.checkpoint = folder / "c.safetensors";
  train_operator(Cpu(1), file, options);
  std::string bytes = testing::read_text(options.checkpoint);
  testing::write_text(folder / "cut.safetensors", bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(OperatorModel::load(folder / "cut.safetensors"), FileError);
  const std::size_t at = bytes.find("sobolev operator 1");
  bytes.replace(at, 18, "sobolev operator 9");
  testing::write_text(folder / "other.safetensors", bytes);
  EXPECT_THAT(message_of<FileError>([&] { OperatorModel::load(folder / "other.safetensors"); }),
              HasSubstr("sobolev operator 9"));
}
}  // namespace
}  // namespace sobolev
