// SPDX-License-Identifier: Apache-2.0
// MATLAB v5 files by hand, as MATLAB writes them: numbers in the smallest type that holds them, either byte
// order.
#include <gmock/gmock.h>
#include <zlib.h>

#include <random>

#include "sobolev/core/error.hpp"
#include "sobolev/io/array_file.hpp"
#include "tests/io/array_files.hpp"
#include "tests/io/mutate.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using testing::all_of;
using ::testing::AllOf;
using testing::bytes_of;
using ::testing::HasSubstr;
using testing::message_of;
using testing::rows_of;
using testing::TemporaryFolder;
using testing::write_text;
using Shape = std::vector<std::size_t>;

/// Writes elements in one of the byte orders.
struct Elements {
  bool swapped = false;

  std::string word(std::uint32_t value) const { return bytes_of<std::uint32_t>({value}, swapped); }
  std::string header() const {
    return std::string("MATLAB 5.0 MAT-file, by hand") + std::string(96, ' ') +
           bytes_of<std::uint16_t>({0x0100, 0x4D49}, swapped);
  }
  std::string element(std::uint32_t type, const std::string& data) const {
    if (!data.empty() && data.size() <= 4)  // beside the tag
      return word(std::uint32_t(data.size()) << 16 | type) + data + std::string(4 - data.size(), '\0');
    return word(type) + word(std::uint32_t(data.size())) + data +
           std::string((8 - data.size() % 8) % 8, '\0');
  }
  /// kind: class and flags; type: of the numbers.
  std::string variable(std::uint32_t kind, const std::vector<std::int32_t>& shape, const std::string& name,
                       std::uint32_t type, const std::string& numbers) const {
    std::string extents;
    for (const std::int32_t extent : shape) extents += bytes_of<std::int32_t>({extent}, swapped);
    return element(14, element(6, word(kind) + word(0)) + element(5, extents) + element(1, name) +
                           element(type, numbers));
  }
  std::string packed(const std::string& variable) const {
    std::string out(compressBound(variable.size()), '\0');
    uLongf size = out.size();
    compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(variable.data()),
             variable.size());
    out.resize(size);
    return word(15) + word(std::uint32_t(size)) + out;  // not padded
  }
};

class MatlabV5 : public ::testing::TestWithParam<bool> {
 protected:
  Elements m{GetParam()};
  TemporaryFolder folder;
  std::filesystem::path path = folder / "v5.mat";

  template <class T>
  std::string numbers(std::initializer_list<T> values) const {
    return bytes_of<T>(values, m.swapped);
  }
  /// Plain and packed.
  template <class Check>
  void both(const std::vector<std::string>& variables, Check&& check) {
    for (const bool pack : {false, true}) {
      std::string bytes = m.header();
      for (const std::string& variable : variables) bytes += pack ? m.packed(variable) : variable;
      write_text(path, bytes);
      check(ArrayFile(path));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(ByteOrders, MatlabV5, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Other" : "Own"; });

TEST_P(MatlabV5, NumbersInSmallerTypes) {
  both({m.variable(6, {2, 3}, "bytes", 2, numbers<std::uint8_t>({1, 2, 3, 4, 5, 255})),
        m.variable(6, {1, 3}, "shorts", 3, numbers<std::int16_t>({-2, 300, 7})),
        m.variable(6, {1, 1}, "one", 4, numbers<std::uint16_t>({50000})),
        m.variable(7, {3, 1}, "single", 7, numbers<float>({0.5F, -2, 1e30F})),
        m.variable(6, {1, 2}, "double", 9, numbers<double>({1.0 / 3, -1e300})),
        m.variable(14, {1, 2}, "long", 12, numbers<std::int64_t>({-(std::int64_t{1} << 40), 5})),
        m.variable(12, {1, 2}, "whole", 1, numbers<std::int8_t>({-1, 5})),
        m.variable(0x0200 | 9, {1, 4}, "yes", 2, numbers<std::uint8_t>({1, 0, 0, 1})),
        m.variable(6, {0, 0}, "empty", 9, "")},
       [](const ArrayFile& file) {
         EXPECT_EQ(file.arrays().size(), 9u);
         EXPECT_EQ(file.array("bytes").shape, (Shape{2, 3}));
         EXPECT_EQ(file.array("bytes").type, "float64");
         EXPECT_EQ(all_of(file, "bytes"), (std::vector<double>{1, 3, 5, 2, 4, 255}));
         EXPECT_EQ(rows_of(file, "bytes", 1, 1), (std::vector<double>{2, 4, 255}));
         EXPECT_EQ(all_of(file, "shorts"), (std::vector<double>{-2, 300, 7}));
         EXPECT_EQ(all_of(file, "one"), std::vector<double>{50000});
         EXPECT_EQ(all_of<float>(file, "single"), (std::vector<float>{0.5F, -2, 1e30F}));
         EXPECT_EQ(all_of(file, "double"), (std::vector<double>{1.0 / 3, -1e300}));
         EXPECT_EQ(all_of(file, "long"), (std::vector<double>{-0x1p40, 5}));
         EXPECT_EQ(file.array("whole").type, "int32");
         EXPECT_EQ(all_of(file, "whole"), (std::vector<double>{-1, 5}));
         EXPECT_EQ(file.array("yes").type, "bool");
         EXPECT_EQ(all_of(file, "yes"), (std::vector<double>{1, 0, 0, 1}));
         EXPECT_EQ(file.array("empty").shape, (Shape{0, 0}));
       });
}

/// Columns far apart (pieces are read) and near (gaps are read over), against a loop over the indices.
TEST_P(MatlabV5, RowsOfColumns) {
  for (const Shape& shape : {Shape{3000, 3, 2}, Shape{40, 7, 5, 3}, Shape{1, 50, 33}, Shape{37, 1}}) {
    std::vector<double> stored(testing::product(shape));
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    for (double& value : stored) value = normal(random);
    std::string bytes;
    for (const double value : stored) bytes += numbers<double>({value});
    const std::size_t rows = shape[0], row = testing::product(shape, 1);
    // stored[i0 + n0 (i1 + n1 (i2 + …))] belongs to row-major index ((i0 n1 + i1) n2 + i2) …
    std::vector<double> want(stored.size());
    for (std::size_t n = 0; n < want.size(); ++n) {
      std::size_t rest = n, at = 0, stride = stored.size();
      for (std::size_t axis = shape.size(); axis-- > 0;) {
        stride /= shape[axis];
        at += rest % shape[axis] * stride;
        rest /= shape[axis];
      }
      want[n] = stored[at];
    }
    both({m.variable(6, std::vector<std::int32_t>(shape.begin(), shape.end()), "u", 9, bytes)},
         [&](const ArrayFile& file) {
           EXPECT_EQ(all_of(file, "u"), want);
           for (const std::size_t first : {std::size_t{0}, rows / 3, rows - 1})
             for (const std::size_t count : {std::size_t{1}, std::min<std::size_t>(rows - first, 17)})
               EXPECT_EQ(rows_of(file, "u", first, count),
                         std::vector<double>(want.begin() + long(first * row),
                                             want.begin() + long((first + count) * row)));
         });
  }
}

TEST_P(MatlabV5, SaysWhatIsWrong) {
  const std::string good = m.variable(6, {2, 2}, "u", 9, numbers<double>({1, 2, 3, 4}));
  const auto message = [&](const std::string& bytes) {
    write_text(path, m.header() + bytes);
    const std::string text = message_of<FileError>([&] { ArrayFile{path}; });
    EXPECT_THAT(text, HasSubstr(path.string() + " is not a whole MATLAB v5 file"));
    return text;
  };
  EXPECT_THAT(message(good.substr(0, good.size() - 8)), HasSubstr("80 bytes, but 72 follow (truncated?)"));
  EXPECT_THAT(message(m.variable(6, {2, 3}, "u", 9, numbers<double>({1, 2, 3, 4}))),
              HasSubstr("u is [2, 3] and needs 48 bytes of float64 numbers, but 32 are there"));
  EXPECT_THAT(message(m.variable(6, {-2, 3}, "u", 9, "")), HasSubstr("-2 numbers along an axis"));
  EXPECT_THAT(message(m.variable(6, {2, 2}, "u", 8, numbers<double>({1, 2, 3, 4}))),
              HasSubstr("the numbers of u are of type 8"));
  EXPECT_THAT(message(m.element(14, m.element(5, std::string(16, '\0')))),
              HasSubstr("the class of a variable"));
  EXPECT_THAT(message(m.packed(m.element(5, "12345678"))), HasSubstr("no variable is packed at byte 136"));
  write_text(path, m.header() + good + good);
  EXPECT_THAT(message_of<FileError>([&] { ArrayFile{path}; }), HasSubstr("two arrays named u"));
  // Packed numbers of which one is damaged, and of which there are too few.
  std::string packed = m.packed(m.variable(6, {2, 2}, "u", 9, numbers<double>({1, 2, 3, 4})));
  packed[packed.size() - 1] ^= 1;  // of the checksum
  write_text(path, m.header() + packed);
  EXPECT_THAT(message_of<FileError>([&] { all_of(ArrayFile(path), "u"); }),
              AllOf(HasSubstr("u of "), HasSubstr("damaged or cut off")));
}

TEST_P(MatlabV5, DamagedFilesAreErrorsNotCrashes) {
  const std::string u = m.variable(6, {4, 3}, "u", 2,
                                   numbers<std::uint8_t>({1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3})),
                    v = m.variable(7, {2, 2, 2}, "v", 7, numbers<float>({1, 2, 3, 4, 5, 6, 7, 8}));
  std::mt19937_64 random(5);
  for (const std::string& whole : {m.header() + u + v, m.header() + m.packed(u) + m.packed(v)}) {
    int refused = 0;
    const auto read = [&](const std::string& bytes) {
      std::filesystem::remove(path);  // a file that is cut and written again waits for the disk
      write_text(path, bytes);
      try {
        const ArrayFile file(path, std::size_t{1} << 24);
        for (const ArrayInfo& array : file.arrays())
          if (testing::product(array.shape) < 10000) all_of(file, array.name);
      } catch (const FileError& error) {
        EXPECT_THAT(error.what(), HasSubstr(path.string()));
        ++refused;
      }
    };
    for (int i = 0; i < 1500; ++i)
      read(whole.substr(0, 124) +
           testing::mutate(whole.substr(124), random, std::string("\0\xFF\x0E\x0F\x09", 5)));
    EXPECT_GT(refused, 500);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      refused = 0;
      read(whole.substr(0, size));
      // Between the variables it is a file of fewer.
      if (size != 128 &&
          size != 128 + (whole.size() == m.header().size() + u.size() + v.size() ? u : m.packed(u)).size()) {
        EXPECT_EQ(refused, 1) << size;
      }
    }
  }
}
}  // namespace
}  // namespace sobolev
