// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/npy.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <cstdint>
#include <cstring>
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

std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  std::string header = dictionary + "\n";
  std::string out("\x93NUMPY", 6);
  out += static_cast<char>(version);
  out += '\0';
  out += static_cast<char>(header.size());
  out += static_cast<char>(header.size() >> 8);
  if (version > 1) out += std::string(2, '\0');
  return out + header + data;
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string out;
  for (const T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

TEST(Npy, ValuesComeBack) {
  const TemporaryFolder folder;
  for (const Tensor& tensor :
       {Tensor{{2, 3}, {1, -2.5, 3e300, 5e-324, -0.0, 1.0 / 3}}, Tensor{{}, {7}}, Tensor{{0, 5}, {}},
        Tensor{{1}, {2}},
        Tensor{{257}, std::vector<double>(257, std::numeric_limits<double>::quiet_NaN())}}) {
    write_npy(folder / "a.npy", tensor);
    const Tensor read = read_npy(folder / "a.npy");
    EXPECT_EQ(read.shape, tensor.shape);
    ASSERT_EQ(read.values.size(), tensor.values.size());
    EXPECT_TRUE(read.values.empty() ||
                std::memcmp(read.values.data(), tensor.values.data(), 8 * read.values.size()) == 0);
  }
}

TEST(Npy, TheHeaderIsNumpys) {
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", {{2, 3}, std::vector<double>(6)});
  const std::string bytes = read_text(folder / "a.npy");
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_THAT(bytes, HasSubstr("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"));
  EXPECT_EQ(bytes.size(), 128u + 48u);
  EXPECT_EQ(bytes[127], '\n');
  write_npy(folder / "b.npy", {{4}, std::vector<double>(4)});
  EXPECT_THAT(read_text(folder / "b.npy"), HasSubstr("'shape': (4,), }"));
}

TEST(Npy, ReadsFloat32AndLaterVersions) {
  const TemporaryFolder folder;
  write_text(folder / "a.npy",
             npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes_of<float>({1.5f, -2})));
  EXPECT_EQ(read_npy(folder / "a.npy").values, (std::vector<double>{1.5, -2}));
  for (const int version : {2, 3}) {
    write_text(folder / "a.npy", npy("{\"shape\": (1, 1), \"descr\": \"<f8\", \"fortran_order\": False}",
                                     bytes_of({3.25}), version));
    EXPECT_EQ(read_npy(folder / "a.npy").values, std::vector<double>{3.25});
  }
}

TEST(Npy, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto path = folder / "a.npy";
  const auto message = [&](const std::string& bytes) {
    write_text(path, bytes);
    const std::string text = message_of<FileError>([&] { read_npy(path); });
    EXPECT_THAT(text, HasSubstr(path.string()));
    return text;
  };
  EXPECT_THAT(message(""), HasSubstr("does not begin"));
  EXPECT_THAT(message("PK\x03\x04 something else"), HasSubstr("does not begin"));
  EXPECT_THAT(message(npy("{}", "", 9)), HasSubstr("version 9"));
  EXPECT_THAT(message(npy("{}", "")), HasSubstr("no descr"));
  EXPECT_THAT(message(npy("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }", "12345678")),
              AllOf(HasSubstr(">f8"), HasSubstr("ascontiguousarray")));
  EXPECT_THAT(message(npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "12345678")),
              HasSubstr("<i8"));
  EXPECT_THAT(message(npy("{'descr': '<f8', 'fortran_order': True, 'shape': (1,), }", "12345678")),
              HasSubstr("Fortran"));
  EXPECT_THAT(message(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", "12345678")),
              HasSubstr("records"));
  EXPECT_THAT(message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", "12345678")),
              HasSubstr("needs 16 bytes of numbers, but 8 follow"));
  EXPECT_THAT(
      message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }", "")),
      HasSubstr("too large"));
  EXPECT_THAT(
      message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "")),
      HasSubstr("too large"));
  EXPECT_THAT(message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", "")),
              HasSubstr("truncated?"));
  EXPECT_THAT(message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "")),
              HasSubstr("tuple of sizes"));
}

TEST(Npz, ArraysComeBackAndEqualArraysGiveEqualBytes) {
  const TemporaryFolder folder;
  const NamedTensors arrays = {{"t", {{2}, {0, 1}}}, {"u", {{2, 2}, {1, 2, 3, 4}}}, {"none", {{0}, {}}}};
  write_npz(folder / "a.npz", arrays);
  write_npz(folder / "b.npz", arrays);
  EXPECT_EQ(read_text(folder / "a.npz"), read_text(folder / "b.npz"));
  const NamedTensors read = read_npz(folder / "a.npz");
  ASSERT_EQ(read.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read[i].first, arrays[i].first);
    EXPECT_EQ(read[i].second.shape, arrays[i].second.shape);
    EXPECT_EQ(read[i].second.values, arrays[i].second.values);
  }
  EXPECT_THROW(write_npz(folder / "c.npz", {{"a", {}}, {"a", {}}}), ArgumentError);
}

/// An archive as numpy.savez_compressed writes it: deflated, sizes of the local header in zip64 fields.
std::string deflated_npz(const std::string& name, const std::string& content) {
  std::string packed(compressBound(content.size()), '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  const auto crc = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  const auto u16 = [](std::size_t v) { return bytes_of({static_cast<std::uint16_t>(v)}); };
  const auto u32 = [](std::size_t v) { return bytes_of({static_cast<std::uint32_t>(v)}); };
  const std::string begin = u16(45) + u16(0) + u16(8) + u16(0) + u16(33) + u32(crc);
  const std::string zip64 =
      u16(1) + u16(16) + bytes_of({std::uint64_t{content.size()}, std::uint64_t{packed.size()}});
  std::string out = u32(0x04034b50) + begin + u32(0xFFFFFFFF) + u32(0xFFFFFFFF) + u16(name.size()) +
                    u16(zip64.size()) + name + zip64 + packed;
  const std::string directory = u32(0x02014b50) + u16(45) + begin + u32(packed.size()) + u32(content.size()) +
                                u16(name.size()) + u16(0) + std::string(10, '\0') + u32(0) + name;
  out += directory;
  return out + u32(0x06054b50) + u32(0) + u16(1) + u16(1) + u32(directory.size()) +
         u32(out.size() - directory.size()) + u16(0);
}

TEST(Npz, ReadsDeflatedArchives) {
  const TemporaryFolder folder;
  std::vector<double> values(3000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 17);
  write_npy(folder / "u.npy", {{30, 100}, values});
  write_text(folder / "a.npz", deflated_npz("u.npy", read_text(folder / "u.npy")));
  const NamedTensors read = read_npz(folder / "a.npz");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].first, "u");
  EXPECT_EQ(read[0].second.values, values);
}

TEST(Npz, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto path = folder / "a.npz";
  const auto message = [&](const std::string& bytes) {
    write_text(path, bytes);
    const std::string text = message_of<FileError>([&] { read_npz(path); });
    EXPECT_THAT(text, HasSubstr(path.string()));
    return text;
  };
  write_npz(path, {{"u", {{2}, {1, 2}}}});
  const std::string whole = read_text(path);
  EXPECT_THAT(message("short"), HasSubstr("5 bytes"));
  EXPECT_THAT(message(std::string(100, 'x')), HasSubstr("directory is missing"));
  EXPECT_THAT(message(whole.substr(0, whole.size() - 1)), HasSubstr("truncated?"));
  std::string flipped = whole;
  flipped[whole.find('\n') + 3] ^= 1;
  EXPECT_THAT(message(flipped), HasSubstr("checksum of u.npy"));
}

TEST(Npz, TwoArraysOfOneNameAreRefused) {
  const std::string array = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", bytes_of({1.0}));
  for (const char* second : {"u.npy", "u"}) {
    const std::string archive = detail::encode_zip({{"u.npy", array}, {second, array}});
    EXPECT_THAT(message_of<FileError>([&] { detail::decode_npz(archive, "f.npz"); }),
                HasSubstr("f.npz holds two arrays named u"));
  }
}

// A small file that would unpack to 128 MiB: neither time nor memory is spent on it.
TEST(Npz, NothingIsUnpackedBeyondWhatIsWanted) {
  const TemporaryFolder folder;
  std::string whole = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (16777216,), }", "");
  whole.resize(whole.size() + (std::size_t{16777216} * 8));
  write_text(folder / "bomb.npz", deflated_npz("u.npy", whole));
  EXPECT_LT(std::filesystem::file_size(folder / "bomb.npz"), std::size_t{1} << 20);
  const NpzFile file(folder / "bomb.npz");
  EXPECT_EQ(file.names(), std::vector<std::string>{"u"});
  EXPECT_THAT(
      message_of<FileError>([&] { file.read("u", 1000); }),
      AllOf(HasSubstr("u.npy in "), HasSubstr("unpacks to 13421"), HasSubstr("at most 1000 numbers")));
  EXPECT_EQ(file.read("u", 16777216).values.size(), 16777216u);
  EXPECT_THAT(message_of<FileError>([&] { file.read("v", 1000); }), HasSubstr("has no array v"));
  write_npz(folder / "a.npz", {{"u", {{2}, {1, 2}}}});
  EXPECT_EQ(NpzFile(folder / "a.npz").read("u", 2).values, (std::vector<double>{1, 2}));
  EXPECT_THAT(message_of<FileError>([&] { NpzFile(folder / "a.npz").read("u", 1); }),
              HasSubstr("holds 2 numbers"));
}

TEST(Npz, DamagedFilesAreErrorsNotCrashes) {
  const TemporaryFolder folder;
  write_npy(folder / "u.npy", {{2, 3}, {1, 2, 3, 4, 5, 6}});
  write_npz(folder / "a.npz", {{"x", {{3}, {1, 2, 3}}}, {"u", {{2, 2}, {1, 2, 3, 4}}}});
  const std::string npy_file = read_text(folder / "u.npy");
  std::mt19937_64 random(2);
  const auto decode = [&](const std::string& whole, const std::string& bytes) {
    if (whole == npy_file)
      detail::decode_npy(bytes, "damaged");
    else
      detail::decode_npz(bytes, "damaged");
  };
  for (const std::string& whole : {read_text(folder / "a.npz"), deflated_npz("u.npy", npy_file), npy_file}) {
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
      try {
        decode(whole, testing::mutate(whole, random, std::string("\0\xFF()<f8,0123456789'", 20)));
      } catch (const FileError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 1200);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_THROW(decode(whole, whole.substr(0, size)), FileError) << size;
  }
}
}  // namespace
}  // namespace sobolev
