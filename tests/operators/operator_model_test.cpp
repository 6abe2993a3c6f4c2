// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/operator_model.hpp"

#include <gmock/gmock.h>

#include <numbers>

#include "sobolev/core/random.hpp"
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

/// u = a + a'/4 of periodic fields of three random waves.
std::filesystem::path write_samples(const TemporaryFolder& folder, std::size_t samples, std::size_t points) {
  const std::filesystem::path path = folder / "waves.npz";
  std::vector<double> a(samples * points), u(samples * points);
  for (std::size_t s = 0; s < samples; ++s) {
    const Philox random(9, s);
    for (std::size_t i = 0; i < points; ++i)
      for (std::size_t k = 1; k <= 3; ++k) {
        const double phase = 2 * std::numbers::pi * (double(k * i) / double(points) + random.uniform(10 + k));
        const double size = random.normal(k);
        a[s * points + i] += 5 + size * std::sin(phase);
        u[s * points + i] += size * (std::sin(phase) + double(k) / 4 * std::cos(phase));
      }
  }
  ArrayFileWriter file(path);
  for (const auto& [name, values] : {std::pair("a", &a), std::pair("u", &u)}) {
    file.create<double>(name, {samples, points});
    file.write<double>(name, 0, View<const double, 2>(values->data(), samples, points));
  }
  file.finish();
  return path;
}

OperatorFile small_model(const std::filesystem::path& data, const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> all{"data.file=\"" + data.string() + "\""};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return OperatorFile::from_string(R"(
[model]
kind = "fno"
modes = 4
width = 8
layers = 2
projection = 16

[data]
file = "?"
inputs = "a"
outputs = "u"
train = 40
test = 10

[training]
batch = 8
epochs = 60
learning_rate = 5e-3
seed = 3
)",
                                   "small.toml", all);
}

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

TEST(OperatorTraining, GoesOnToTheSameBits) {
  const TemporaryFolder folder;
  const OperatorFile file = small_model(write_samples(folder, 50, 16), {"training.epochs=6"});
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
#endif

TEST(OperatorFile, SaysWhereAndWhatIsWrong) {
  const auto message = [](const std::string& override_) {
    return message_of<ParseError>([&] { small_model("x.npz", {override_}); });
  };
  EXPECT_THAT(message("model.widht=3"), AllOf(HasSubstr("no key widht"), HasSubstr("did you mean width")));
  EXPECT_THAT(message("modle.width=3"), HasSubstr("did you mean model"));
  EXPECT_THAT(message("model.modes=0"), HasSubstr("model.modes is 0"));
  EXPECT_THAT(message("model.frequencies=[[0, 3]]"), HasSubstr("either modes or frequencies"));
  EXPECT_THAT(message("model.frequencies=[[-1, 3]]"), HasSubstr("none below 0"));
  EXPECT_THAT(message("model.kind=\"unet\""), HasSubstr("fno"));
  EXPECT_THAT(message("training.learning_rate=-1"), HasSubstr("above 0"));
  EXPECT_THAT(message("data.inputs=\"u[3\""), HasSubstr("names no field"));
  EXPECT_THAT(message("training.schedule=\"linear\""), HasSubstr("one_cycle"));
  EXPECT_THAT(message("training.loss=\"l1\""), HasSubstr("h1_fourier"));
  EXPECT_THAT(message("training.pct_start=0"), HasSubstr("above 0 to 1"));
  EXPECT_THAT(message("training.unroll=2"), HasSubstr("data.rollout"));
  EXPECT_THAT(message("training.early_stop=3"), HasSubstr("data.validation"));
  EXPECT_THAT(message("data.rollout=true"), HasSubstr("outputs have times"));
  EXPECT_THAT(
      message_of<ParseError>([] { OperatorFile::from_string("[model]\nkind = \"fno\"\n", "m.toml"); }),
      AllOf(HasSubstr("m.toml"), HasSubstr("modes")));
}

TEST(OperatorFile, ShipsModelsThatAreRead) {
  EXPECT_GE(shipped_models().size(), 4u);
  for (const auto& [name, path] : shipped_models()) {
    const OperatorFile file = OperatorFile::from_file(find_model(name));
    EXPECT_EQ(path, find_model(name));
    EXPECT_EQ(file.name, name);
    EXPECT_FALSE(file.title.empty());
    EXPECT_THAT(file.source, HasSubstr("# Source: "));
  }
  EXPECT_THAT(message_of<FileError>([] { find_model("fno_burger"); }), HasSubstr("did you mean fno_burgers"));
}

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
