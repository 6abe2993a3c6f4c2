// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/field_data.hpp"

#include <gmock/gmock.h>

#include "sobolev/core/error.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

/// a : [3, 4, 5], u : [3, 2, 4, 5], each number its own index; line : [2, 4].
std::filesystem::path write_fields(const TemporaryFolder& folder) {
  const std::filesystem::path path = folder / "fields.npz";
  ArrayFileWriter file(path);
  const auto write = [&](const std::string& name, const std::vector<std::size_t>& shape) {
    std::size_t row = 1;
    for (std::size_t a = 1; a < shape.size(); ++a) row *= shape[a];
    std::vector<double> values(shape[0] * row);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = double(i);
    file.create<double>(name, shape);
    file.write<double>(name, 0, View<const double, 2>(values.data(), shape[0], row));
  };
  write("a", {3, 4, 5});
  write("u", {3, 2, 4, 5});
  write("line", {2, 4});
  write("deep", {3, 2, 2, 2, 2});
  file.finish();
  return path;
}

TEST(FieldData, PutsChannelsLast) {
  const TemporaryFolder folder;
  const ArrayFile file(write_fields(folder));
  const FieldData<double> data = read_fields<double>(file, {"a", "u[0:2]", "u[1]"}, 1, 2);
  EXPECT_EQ(data.grid, (std::vector<std::size_t>{4, 5}));
  EXPECT_EQ(data.samples, 2u);
  ASSERT_EQ(data.channels, 4u);
  for (std::size_t s = 0; s < 2; ++s)
    for (std::size_t p = 0; p < 20; ++p) {
      const double* at = data.values.data() + (s * 20 + p) * 4;
      EXPECT_EQ(at[0], double((s + 1) * 20 + p));
      EXPECT_EQ(at[1], double((s + 1) * 40 + p));
      EXPECT_EQ(at[2], double((s + 1) * 40 + 20 + p));
      EXPECT_EQ(at[3], at[2]);
    }
  EXPECT_EQ(count_samples(file, {"a", "u[1]"}), 3u);
}

TEST(FieldData, ReadsPointsOfAllOrOfEachSample) {
  const TemporaryFolder folder;
  const ArrayFile file(write_fields(folder));
  const auto expect = [](const FieldData<double>& data, std::size_t points, std::size_t samples,
                         std::size_t coordinates, double first, double last) {
    EXPECT_EQ(data.grid, std::vector<std::size_t>{points});
    EXPECT_EQ(data.samples, samples);
    EXPECT_EQ(data.channels, coordinates);
    ASSERT_EQ(data.values.size(), points * samples * coordinates);
    EXPECT_EQ(data.values.front(), first);
    EXPECT_EQ(data.values.back(), last);
  };
  expect(read_points<double>(file, "line", 2, 1, 1, 4), 4, 1, 1, 4, 7);     // [samples, P]
  expect(read_points<double>(file, "line", 3, 1, 2), 2, 1, 4, 0, 7);        // [P, D]
  expect(read_points<double>(file, "line", 2, 0, 1, 2, 4), 2, 1, 4, 0, 7);  // the same, by what is wanted
  expect(read_points<double>(file, "a", 3, 1, 2), 4, 2, 5, 20, 59);         // [samples, P, D]
  EXPECT_THAT(message_of<FileError>([&] { read_points<double>(file, "a", 4, 0, 2, 7, 2); }),
              AllOf(HasSubstr("fields.npz"), HasSubstr("a has the shape [3, 4, 5]"), HasSubstr("[7, 2]")));
}

TEST(FieldData, TakesEveryStridethPointOfEachAxis) {
  const TemporaryFolder folder;
  const ArrayFile file(write_fields(folder));
  const FieldData<float> data = read_fields<float>(file, {"a"}, 2, 1, 2);
  EXPECT_EQ(data.grid, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(data.values, (std::vector<float>{40, 42, 44, 50, 52, 54}));
}

TEST(FieldData, SaysWhatDoesNotFit) {
  const TemporaryFolder folder;
  const ArrayFile file(write_fields(folder));
  const auto error = [&](const std::vector<std::string>& names, std::size_t first, std::size_t count) {
    return message_of<FileError>([&] { read_fields<double>(file, names, first, count); });
  };
  EXPECT_THAT(error({"b"}, 0, 1), AllOf(HasSubstr("fields.npz"), HasSubstr("line")));
  EXPECT_THAT(error({"a"}, 2, 2), HasSubstr("there are 3"));
  EXPECT_THAT(error({"a", "line"}, 0, 1), HasSubstr("a has 3 samples and line has 2"));
  EXPECT_THAT(error({"deep"}, 0, 1), AllOf(HasSubstr("[3, 2, 2, 2, 2]"), HasSubstr("deep[0]")));
  EXPECT_THAT(error({"u[2]"}, 0, 1), HasSubstr("u has 2 times"));
  EXPECT_THAT(error({"a", "u"}, 0, 1), HasSubstr("[2, 4, 5]"));
  for (const char* name : {"", "[0]", "u[", "u[x]", "u[1:", "u[3:3]", "u[-1]", "u[0:2"})
    EXPECT_THROW(FieldName::parse(name), ArgumentError) << name;
}
}  // namespace
}  // namespace sobolev
