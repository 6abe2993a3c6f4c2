// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/array_file.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <limits>
#include <random>
#include <thread>

#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/npy.hpp"
#include "sobolev/io/safetensors.hpp"
#include "tests/io/array_files.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using testing::all_of;
using ::testing::AllOf;
using testing::bytes_of;
using ::testing::HasSubstr;
using testing::message_of;
using testing::product;
using testing::read_text;
using testing::rows_of;
using testing::TemporaryFolder;
using testing::write_text;
using Shape = std::vector<std::size_t>;

template <class T>
View<const T, 2> view(const std::vector<T>& values, std::size_t rows) {
  return View<const T, 2>(values.data(), rows, rows == 0 ? 0 : values.size() / rows);
}

template <class T>
std::vector<T> random_values(std::size_t count, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<T> normal;
  std::vector<T> values(count);
  for (T& value : values) value = normal(random);
  return values;
}

/// Both kinds of files that are written.
class Written : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path path(const std::string& name = "f") const { return folder / (name + GetParam()); }
  TemporaryFolder folder;
};
INSTANTIATE_TEST_SUITE_P(Files, Written, ::testing::Values(".h5", ".hdf5", ".npz"),
                         [](const auto& tested) { return std::string(tested.param + 1); });

template <class T>
void comes_back(const std::filesystem::path& path) {
  const std::vector<Shape> shapes = {{}, {0}, {1}, {257}, {3, 0}, {0, 4}, {31, 1}, {33, 2, 3}, {5, 1, 7, 2}};
  std::vector<std::vector<T>> values;
  {
    ArrayFileWriter file(path);
    for (std::size_t k = 0; k < shapes.size(); ++k) {
      const std::string name = "group" + std::to_string(k % 2) + "/array" + std::to_string(k);
      const std::size_t rows = shapes[k].empty() ? 1 : shapes[k][0];
      values.push_back(random_values<T>(product(shapes[k]), unsigned(k)));
      file.create<T>(name, shapes[k]);
      const View<const T, 2> all(values[k].data(), rows, product(shapes[k], 1));
      if (k % 3 == 0) {
        file.write<T>(name, 0, all);
        continue;
      }
      const std::size_t row = all.extent(1);
      for (std::size_t r = rows; r-- > 0;)  // one by one from the last
        file.write<T>(name, r, View<const T, 2>(values[k].data() + r * row, 1, row));
    }
    file.finish();
  }
  const ArrayFile file(path);
  EXPECT_EQ(file.arrays().size(), shapes.size());
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const std::string name = "group" + std::to_string(k % 2) + "/array" + std::to_string(k);
    EXPECT_EQ(file.array(name).shape, shapes[k]);
    EXPECT_EQ(file.array(name).type, sizeof(T) == 4 ? "float32" : "float64");
    EXPECT_EQ(all_of<T>(file, name), values[k]) << name;
    EXPECT_EQ(all_of<double>(file, name), std::vector<double>(values[k].begin(), values[k].end()));
    EXPECT_EQ(all_of<float>(file, name), std::vector<float>(values[k].begin(), values[k].end()));
  }
}
TEST_P(Written, ValuesComeBack) {
  comes_back<float>(path("f"));
  comes_back<double>(path("d"));
}

TEST_P(Written, SpecialNumbersKeepTheirBits) {
  const std::vector<double> values = {std::numeric_limits<double>::quiet_NaN(), -0.0, 5e-324,
                                      std::numeric_limits<double>::infinity(), 1.0 / 3};
  ArrayFileWriter writer(path());
  writer.create<double>("x", {5});
  writer.write<double>("x", 0, view(values, 5));
  writer.finish();
  const std::vector<double> read = all_of(ArrayFile(path()), "x");
  EXPECT_EQ(std::memcmp(read.data(), values.data(), 8 * values.size()), 0);
}

TEST_P(Written, RowsInAnyOrderTwiceOrNotAtAll) {
  ArrayFileWriter writer(path());
  writer.create<double>("x", {12, 3});
  writer.create<float>("never", {1000, 7});
  const std::vector<double> values = random_values<double>(36);
  const std::vector<double> wrong(36, 99);
  std::vector<double> want(36, 0);
  const auto put = [&](const std::vector<double>& from, std::size_t first, std::size_t count) {
    writer.write<double>("x", first, View<const double, 2>(from.data() + first * 3, count, 3));
    std::copy_n(from.begin() + long(first * 3), count * 3, want.begin() + long(first * 3));
  };
  put(wrong, 0, 2);
  put(values, 2, 2);
  put(values, 1, 2);
  put(wrong, 9, 1);
  put(values, 8, 2);
  put(values, 5, 1);  // rows 4, 6, 7, 10, 11 stay zero
  writer.finish();
  const ArrayFile file(path());
  EXPECT_EQ(all_of(file, "x"), want);
  EXPECT_EQ(all_of(file, "never"), std::vector<double>(7000, 0));
  if (path().extension() == ".npz") {  // the checksums hold
    EXPECT_EQ(read_npz(path())[0].second.values, want);
  }
}

TEST_P(Written, AttributesComeBack) {
  using Texts = std::vector<std::string>;
  using Numbers = std::vector<double>;
  const Attributes of_file = {{"nu", 0.25}, {"equation", "u_t = ν u_xx"}, {"empty", std::string()}},
                   of_array = {{"fields", Texts{"density", "Vx", ""}},
                               {"length", Numbers{1, 2.5}},
                               {"none", Numbers{}}},
                   of_group = {{"seed", 7.0}};
  ArrayFileWriter writer(path());
  writer.create<float>("sample/u", {2, 2});
  for (const auto& [key, value] : of_file) writer.attribute("", key, value);
  for (const auto& [key, value] : of_array) writer.attribute("sample/u", key, value);
  for (const auto& [key, value] : of_group) writer.attribute("sample", key, value);
  EXPECT_THAT(message_of<ArgumentError>([&] { writer.attribute("sample/u", "length", 2.0); }),
              HasSubstr("already a length of sample/u"));
  EXPECT_THAT(message_of<ArgumentError>([&] { writer.attribute("sample/v", "length", 2.0); }),
              HasSubstr("no array sample/v"));
  EXPECT_THROW(writer.attribute("", "", 2.0), ArgumentError);
  EXPECT_THROW(writer.attribute("", "zero byte", std::string("a\0b", 3)), ArgumentError);
  writer.finish();
  const ArrayFile file(path());
  EXPECT_EQ(file.attributes(), of_file);
  EXPECT_EQ(file.attributes("sample/u"), of_array);
  EXPECT_EQ(file.arrays().size(), 1u);
  if (path().extension() != ".npz") {
    EXPECT_EQ(file.attributes("sample"), of_group);
  }
}

TEST_P(Written, NothingStaysWithoutFinish) {
  write_text(path(), "what was there");
  {
    ArrayFileWriter writer(path());
    writer.create<double>("x", {2});
    EXPECT_EQ(folder.entries(), 2u);
    // Somebody is writing it.
    remove_abandoned_files(folder.path());
    EXPECT_EQ(folder.entries(), 2u);
  }
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_EQ(read_text(path()), "what was there");
  {
    ArrayFileWriter writer(path());
    writer.create<double>("x", {2});
    EXPECT_THROW(writer.finish([] { throw Error("not now"); }), Error);
  }
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_EQ(read_text(path()), "what was there");
  ArrayFileWriter writer(path());
  writer.create<double>("x", {2});
  bool whole = false;
  writer.finish([&] { whole = true; });
  EXPECT_TRUE(whole);
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_EQ(all_of(ArrayFile(path()), "x"), std::vector<double>(2, 0));
  EXPECT_THROW(writer.create<double>("y", {2}), ArgumentError);
  EXPECT_THROW(writer.finish(), ArgumentError);
}

TEST_P(Written, WrongCalls) {
  ArrayFileWriter writer(path());
  writer.create<double>("a/x", {4, 3});
  const std::vector<double> values(12);
  const std::vector<float> floats(12);
  const auto message = [](auto&& call) { return message_of<ArgumentError>(call); };
  EXPECT_THAT(message([&] { writer.create<float>("a/x", {1}); }), HasSubstr("a/x is taken"));
  EXPECT_THROW(writer.create<float>("", {1}), ArgumentError);
  EXPECT_THROW(writer.create<float>("x/", {1}), ArgumentError);
  EXPECT_THAT(message([&] {
                writer.create<float>("y", {std::size_t{1} << 40, std::size_t{1} << 40});
              }),
              HasSubstr("too large"));
  EXPECT_THAT(message([&] { writer.write<double>("b", 0, view(values, 4)); }), HasSubstr("no array b"));
  EXPECT_THAT(message([&] { writer.write<float>("a/x", 0, view(floats, 4)); }),
              HasSubstr("of 8 bytes, not 4"));
  EXPECT_THAT(message([&] { writer.write<double>("a/x", 1, view(values, 4)); }),
              HasSubstr("4 rows of 3 numbers from row 1 are not within a/x [4, 3]"));
  EXPECT_THAT(message([&] { writer.write<double>("a/x", 0, view(values, 3)); }),
              HasSubstr("rows of 4 numbers"));
  writer.finish();
}

TEST(ArrayFileWriter, NamesThatHdf5CannotHold) {
  const TemporaryFolder folder;
  ArrayFileWriter writer(folder / "f.h5");
  writer.create<double>("a/b", {1});
  for (const char* name : {"/x", "x//y", "./x", "a/./c"})
    EXPECT_THAT(message_of<ArgumentError>([&] { writer.create<double>(name, {1}); }), HasSubstr("no name"))
        << name;
  for (const char* name : {"a", "a/b/c"})
    EXPECT_THAT(message_of<ArgumentError>([&] { writer.create<double>(name, {1}); }),
                HasSubstr("a group and an array"));
}

TEST(ArrayFileWriter, FilesThatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<FileError>([&] { ArrayFileWriter(folder / "u.mat"); }),
              AllOf(HasSubstr("u.mat"), HasSubstr("name it .h5 or .hdf5 (HDF5), or .npz")));
  for (const char* name : {"missing/u.h5", "missing/u.npz"})
    EXPECT_THAT(message_of<FileError>([&] { ArrayFileWriter(folder / name); }),
                AllOf(HasSubstr(name), HasSubstr("No such file or directory")));
  std::filesystem::create_directory(folder / "u.h5");
  EXPECT_THAT(message_of<FileError>([&] { ArrayFileWriter(folder / "u.h5"); }), HasSubstr("Is a directory"));
}

/// A file-size limit makes writing fail in the middle, as a full disk does.
TEST_P(Written, AFullDiskLeavesWhatWasThere) {
  write_text(path(), "what was there");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::vector<double> values(50000, 1);
  const std::string text = message_of<FileError>([&] {
    ArrayFileWriter writer(path());
    writer.create<double>("x", {50000});
    writer.write<double>("x", 0, view(values, 50000));
    writer.finish();
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(text, AllOf(HasSubstr("cannot write " + path().string()), HasSubstr("File too large")));
  EXPECT_EQ(read_text(path()), "what was there");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST_P(Written, AskedForWhatIsNotThere) {
  ArrayFileWriter writer(path());
  writer.create<double>("density", {4, 2, 3});
  writer.create<double>("pressure", {4});
  writer.finish();
  const ArrayFile file(path());
  EXPECT_EQ(file.path(), path());
  const auto message = [&](auto&& call) {
    const std::string text = message_of<FileError>(call);
    EXPECT_THAT(text, HasSubstr(path().string()));
    return text;
  };
  EXPECT_THAT(message([&] { file.array("desnity"); }),
              AllOf(HasSubstr("no array desnity; did you mean density?"), HasSubstr("density [4, 2, 3]"),
                    HasSubstr("pressure [4]")));
  EXPECT_THAT(message([&] { file.attributes("tensor"); }), HasSubstr("no array tensor"));
  std::vector<double> values(100);
  EXPECT_THAT(
      message([&] { file.read("density", 3, View<double, 2>(values.data(), 2, 6)); }),
      AllOf(HasSubstr("density of "), HasSubstr("has 4 rows ([4, 2, 3]); 2 from row 3 on are wanted")));
  EXPECT_THAT(message([&] { file.read("density", 0, View<double, 2>(values.data(), 2, 5)); }),
              HasSubstr("rows of 6 numbers ([4, 2, 3]); rows of 5 are wanted"));
  EXPECT_THROW(file.read("density", std::size_t(-1), View<double, 2>(values.data(), 2, 6)), FileError);
  file.read("density", 4, View<double, 2>(values.data(), 0, 6));  // none are none
}

TEST_P(Written, SeveralThreadsTakeTurns) {
  const std::vector<double> values = random_values<double>(6400);
  ArrayFileWriter writer(path());
  writer.create<double>("x", {64, 100});
  writer.write<double>("x", 0, view(values, 64));
  writer.finish();
  const ArrayFile file(path()), again(path());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::vector<double> row(100);
      for (std::size_t r = 0; r < 64; ++r) {
        (t % 2 == 0 ? file : again).read("x", r, View<double, 2>(row.data(), 1, 100));
        if (!std::equal(row.begin(), row.end(), values.begin() + long(100 * r))) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ArrayFile, OneArrayOfNpy) {
  const TemporaryFolder folder;
  const std::vector<double> values = random_values<double>(12);
  write_npy(folder / "airfoil.npy", {{2, 3, 2}, values});
  ArrayFile file(folder / "airfoil.npy");
  EXPECT_EQ(file.array("airfoil").shape, (Shape{2, 3, 2}));
  EXPECT_EQ(all_of(file, "airfoil"), values);
  EXPECT_EQ(rows_of(file, "airfoil", 1, 1), std::vector<double>(values.begin() + 6, values.end()));
  EXPECT_TRUE(file.attributes().empty());
  const std::string whole = read_text(folder / "airfoil.npy");
  write_text(folder / "short.npy", whole.substr(0, whole.size() - 1));
  EXPECT_THAT(message_of<FileError>([&] { ArrayFile(folder / "short.npy"); }),
              HasSubstr("its shape [2, 3, 2] needs 96 bytes of numbers, but 95 follow (truncated?)"));
}

/// A safetensors file by hand.
std::string safetensors(const std::string& header, const std::string& data) {
  return bytes_of<std::uint64_t>({header.size()}) + header + data;
}

TEST(ArrayFile, TypesOfSafetensors) {
  const TemporaryFolder folder;
  const std::string data = bytes_of<std::uint16_t>({0x3C00, 0xC000, 0x7BFF, 0x0001}) +  // 1, -2, 65504, 2⁻²⁴
                           bytes_of<std::uint16_t>({0x3F80, 0xC000, 0x7F80, 0x0080}) +  // 1, -2, ∞, 2⁻¹²⁶
                           bytes_of<float>({0.5F, -3}) + bytes_of<double>({1e300}) +
                           bytes_of<std::int32_t>({-7, 8}) + bytes_of<std::uint8_t>({255, 0, 1, 2}) +
                           bytes_of<std::uint8_t>({1, 0, 0, 0});
  write_text(folder / "t.safetensors",
             safetensors(R"({"__metadata__":{"author":"me"},)"
                         R"("half":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},)"
                         R"("brain":{"dtype":"BF16","shape":[4],"data_offsets":[8,16]},)"
                         R"("single":{"dtype":"F32","shape":[2],"data_offsets":[16,24]},)"
                         R"("double":{"dtype":"F64","shape":[],"data_offsets":[24,32]},)"
                         R"("whole":{"dtype":"I32","shape":[2],"data_offsets":[32,40]},)"
                         R"("bytes":{"dtype":"U8","shape":[4,1],"data_offsets":[40,44]},)"
                         R"("truth":{"dtype":"BOOL","shape":[2],"data_offsets":[44,46]},)"
                         R"("eight":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[46,48]}})",
                         data));
  const ArrayFile file(folder / "t.safetensors");
  EXPECT_EQ(all_of(file, "half"), (std::vector<double>{1, -2, 65504, 0x1p-24}));
  EXPECT_EQ(rows_of(file, "half", 1, 1), (std::vector<double>{65504, 0x1p-24}));
  EXPECT_EQ(all_of(file, "brain"),
            (std::vector<double>{1, -2, std::numeric_limits<double>::infinity(), 0x1p-126}));
  EXPECT_EQ(all_of<float>(file, "single"), (std::vector<float>{0.5F, -3}));
  EXPECT_EQ(all_of(file, "double"), std::vector<double>{1e300});
  EXPECT_EQ(all_of(file, "whole"), (std::vector<double>{-7, 8}));
  EXPECT_EQ(rows_of(file, "bytes", 0, 2), (std::vector<double>{255, 0}));
  EXPECT_EQ(all_of(file, "truth"), (std::vector<double>{1, 0}));
  EXPECT_EQ(file.array("brain").type, "bfloat16");
  EXPECT_EQ(std::get<std::string>(file.attributes().at("author")), "me");
  EXPECT_THAT(message_of<FileError>([&] { file.array("eight"); }), HasSubstr("a tensor of type F8_E4M3"));
  write_safetensors(folder / "d.safetensors", {{{"u", {{2, 2}, {1, 2, 3, 4}}}}, {}});
  EXPECT_EQ(rows_of(ArrayFile(folder / "d.safetensors"), "u", 1, 1), (std::vector<double>{3, 4}));
}

TEST(ArrayFile, WhatIsNoFileOfArrays) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& bytes) {
    write_text(folder / "f", bytes);
    const std::string text = message_of<FileError>([&] { ArrayFile(folder / "f"); });
    EXPECT_THAT(text, HasSubstr((folder / "f").string()));
    return text;
  };
  EXPECT_THAT(message(""), HasSubstr("it is empty"));
  EXPECT_THAT(message("hello, this is text"), HasSubstr("it begins with 68 65 6c 6c 6f"));
  EXPECT_THAT(message("\x1f\x8b and so on"), HasSubstr("gunzip"));
  EXPECT_THAT(message("<!DOCTYPE html>"), HasSubstr("page of a web site"));
  EXPECT_THAT(message("version https://git-lfs.github.com/spec/v1"), HasSubstr("git lfs pull"));
  EXPECT_THAT(message("MATLAB 7.3 MAT-file" + std::string(600, ' ')),
              HasSubstr("no HDF5 in it (truncated?)"));
  EXPECT_THAT(message("\x89HDF\r\n\x1a\nand no more"), HasSubstr("cannot read"));
  EXPECT_THAT(message_of<FileError>([&] { ArrayFile(folder / "missing"); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of<FileError>([&] { ArrayFile{folder.path()}; }), HasSubstr("it is a folder"));
}

// What is packed is unpacked at the first read, and not more of it than is allowed.
TEST(ArrayFile, MemoryForWhatIsPackedIsLimited) {
  const std::filesystem::path path =
      SOBOLEV_SOURCE_DIR "/tests/io/samples/v5_compressed.mat";  // a: 160, u: 192 bytes
  EXPECT_THAT(message_of<FileError>([&] { all_of(ArrayFile(path, 191), "u"); }),
              AllOf(HasSubstr("u of "), HasSubstr("unpacks to 192 bytes, of which at most 191"),
                    HasSubstr("do_compression=False")));
  const ArrayFile file(path, 192);  // one of them at a time
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(all_of(file, "a"), testing::samples(0, {4, 5}));
    EXPECT_EQ(all_of(file, "u"), testing::samples(1, {4, 3, 2}));
  }
}

/// More than 4 GiB, most of them holes in the file.
TEST(ArrayFile, BeyondFourGibibytes) {
  const TemporaryFolder folder;
  constexpr std::size_t rows = 5000, row = 1 << 17;  // 5.2 GB
  const std::vector<double> values = random_values<double>(row);
  {
    ArrayFileWriter writer(folder / "large.npz");
    writer.create<double>("large", {rows, row});
    writer.create<double>("after", {row});
    for (const std::size_t r : {std::size_t{0}, rows - 1}) writer.write<double>("large", r, view(values, 1));
    writer.write<double>("after", 0, view(values, row));
    writer.attribute("", "nu", 0.5);
    writer.finish();
  }
  const ArrayFile file(folder / "large.npz");
  EXPECT_EQ(file.array("large").shape, (Shape{rows, row}));
  EXPECT_EQ(rows_of(file, "large", rows - 1, 1), values);
  EXPECT_EQ(rows_of(file, "large", rows - 2, 1), std::vector<double>(row, 0));
  EXPECT_EQ(all_of(file, "after"), values);
  EXPECT_EQ(std::get<double>(file.attributes().at("nu")), 0.5);
}
}  // namespace
}  // namespace sobolev
