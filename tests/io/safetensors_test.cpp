// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/safetensors.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <limits>

#include "sobolev/core/error.hpp"
#include "src/io/formats.hpp"
#include "tests/io/mutate.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::HasSubstr;
using testing::message_of;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

std::string file_of(const std::string& header, const std::string& data) {
  const std::uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + data;
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string out;
  for (const T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

TensorFile example() {
  TensorFile file;
  file.tensors = {{"layers.0.weight", {{2, 3}, {1, -2.5, 3e300, 5e-324, -0.0, 1.0 / 3}}},
                  {"empty", {{0, 4}, {}}},
                  {"scalar", {{}, {42}}},
                  {"special",
                   {{4},
                    {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                     std::bit_cast<double>(0x7FF80000DEADBEEFull), -0.0}}}};
  file.metadata = {{"problem", "title = \"Wärme\"\n"}, {"iteration", "17"}, {"", "empty key"}};
  return file;
}

TEST(Safetensors, EveryBitComesBack) {
  const TemporaryFolder folder;
  const TensorFile written = example();
  write_safetensors(folder / "file", written);
  const TensorFile read = read_safetensors(folder / "file");
  EXPECT_EQ(read.metadata, written.metadata);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (std::size_t i = 0; i < read.tensors.size(); ++i) {
    EXPECT_EQ(read.tensors[i].first, written.tensors[i].first);
    EXPECT_EQ(read.tensors[i].second.shape, written.tensors[i].second.shape);
    const auto &got = read.tensors[i].second.values, &want = written.tensors[i].second.values;
    ASSERT_EQ(got.size(), want.size());
    EXPECT_TRUE(got.empty() || std::memcmp(got.data(), want.data(), got.size() * sizeof(double)) == 0);
  }
  const std::string once = read_text(folder / "file");
  write_safetensors(folder / "file", read);
  EXPECT_EQ(read_text(folder / "file"), once);
  EXPECT_EQ((once.size() - 8) % 8, 0u) << "the numbers are aligned";
}

TEST(Safetensors, ReadsWhatOthersWrite) {
  const TemporaryFolder folder;
  const std::string header =
      R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
      R"("__metadata__":{"format":"pt"}}  )";
  write_text(folder / "file", file_of(header, bytes_of<std::int64_t>({-7}) + bytes_of<float>({1.5f, -2.0f})));
  const TensorFile file = read_safetensors(folder / "file");
  EXPECT_EQ(file.at("a").values, std::vector<double>{-7});
  EXPECT_EQ(file.at("b").values, (std::vector<double>{1.5, -2}));
  EXPECT_EQ(file.metadata.at("format"), "pt");
  EXPECT_TRUE(file.contains("a"));
  EXPECT_FALSE(file.contains("c"));
  EXPECT_THAT(message_of<FileError>([&] { file.at("c", "weights.safetensors"); }),
              AllOf(HasSubstr("weights.safetensors has no tensor c"), HasSubstr("b, a")));
}

TEST(Safetensors, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  const auto message = [&](const std::string& bytes) {
    write_text(path, bytes);
    const std::string text = message_of<FileError>([&] { read_safetensors(path); });
    EXPECT_THAT(text, HasSubstr(path.string()));
    return text;
  };
  EXPECT_THAT(message(""), HasSubstr("it has 0 bytes"));
  EXPECT_THAT(message("hello, I am text"), HasSubstr("truncated?"));
  EXPECT_THAT(message(file_of("[1]", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(message(file_of(std::string(100000, '['), "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(message(file_of(R"({"a":3})", "")), HasSubstr("a is not described"));
  EXPECT_THAT(message(file_of(R"({"a":{"dtype":"F64","shape":[1]}})", "")),
              HasSubstr("no list data_offsets"));
  EXPECT_THAT(message(file_of(R"({"a":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}})", "")),
              HasSubstr("shape of a"));
  EXPECT_THAT(message(file_of(R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", "xx")),
              HasSubstr("a has type BF16; F64, F32 and I64 are read"));
  EXPECT_THAT(message(file_of(R"({"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}})", "12345678")),
              HasSubstr("a has 2 numbers of 8 bytes"));
  EXPECT_THAT(message(file_of(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", "1234567")),
              HasSubstr("truncated?"));
  EXPECT_THAT(
      message(file_of(R"({"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "")),
      HasSubstr("too large"));
  EXPECT_THAT(message(file_of(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", "123456789")),
              HasSubstr("end at byte 8"));
  EXPECT_THAT(message(file_of(R"({"__metadata__":{"a":1}})", "")), HasSubstr("metadata a is not a text"));
}

TEST(Safetensors, EveryByteBelongsToOneTensor) {
  const auto message = [](const std::string& header, const std::string& data) {
    return message_of<FileError>([&] { detail::decode_safetensors(file_of(header, data), "f"); });
  };
  const auto part = [](const char* name, int first, int last) {
    return fmt::format(R"("{}":{{"dtype":"F64","shape":[{}],"data_offsets":[{},{}]}})", name,
                       (last - first) / 8, first, last);
  };
  EXPECT_THAT(message("{" + part("a", 0, 16) + "," + part("b", 8, 24) + "}", std::string(24, 'x')),
              HasSubstr("two tensors overlap at byte 8"));
  EXPECT_THAT(message("{" + part("a", 0, 8) + "," + part("b", 16, 24) + "}", std::string(24, 'x')),
              HasSubstr("bytes 8 to 16 of the data belong to no tensor"));
  EXPECT_THAT(message("{" + part("a", 0, 8) + "," + part("a", 8, 16) + "}", std::string(16, 'x')),
              HasSubstr("a is described twice"));
}

// Linear in their number; a quadratic reader takes minutes.
TEST(Safetensors, ManyTensorsAreReadAtOnce) {
  const TemporaryFolder folder;
  TensorFile file;
  for (int i = 0; i < 100000; ++i) file.tensors.push_back({fmt::format("tensor {}", i), {{1}, {double(i)}}});
  const std::clock_t start = std::clock();
  write_safetensors(folder / "file", file);
  const TensorFile read = read_safetensors(folder / "file");
  EXPECT_LT(std::clock() - start, 30 * CLOCKS_PER_SEC);
  ASSERT_EQ(read.tensors.size(), file.tensors.size());
  EXPECT_EQ(read.tensors[99999].first, "tensor 99999");
  EXPECT_EQ(read.tensors[99999].second.values, std::vector<double>{99999});
}

TEST(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const TemporaryFolder folder;
  const auto message = [&](TensorFile file) {
    return message_of<ArgumentError>([&] { write_safetensors(folder / "file", file); });
  };
  EXPECT_THAT(message({{{"a", {{2}, {1}}}}, {}}), HasSubstr("shape of a"));
  EXPECT_THAT(message({{{"a", {{1}, {1}}}, {"a", {{1}, {1}}}}, {}}), HasSubstr("a is taken"));
  EXPECT_THAT(message({{}, {{"text", "\xFF"}}}), HasSubstr("UTF-8"));
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Safetensors, DamagedFilesAreErrorsNotCrashes) {
  const TemporaryFolder folder;
  write_safetensors(folder / "file", example());
  const std::string whole = read_text(folder / "file");
  std::mt19937_64 random(1);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    try {
      detail::decode_safetensors(testing::mutate(whole, random, "0123456789[]{}\",:-eF"), "damaged");
    } catch (const FileError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(detail::decode_safetensors(whole.substr(0, size), "cut"), FileError) << size << " bytes";
}
}  // namespace
}  // namespace sobolev
