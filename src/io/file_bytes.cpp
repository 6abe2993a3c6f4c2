// SPDX-License-Identifier: Apache-2.0
#include "src/io/file_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t piece = std::size_t{1} << 20;
}  // namespace

FileBytes::FileBytes(std::filesystem::path path) : path_(std::move(path)) {
  const auto fail = [&](const char* why) {
    if (descriptor_ >= 0) ::close(descriptor_);
    throw FileError(fmt::format("cannot read {}: {}", path_.string(), why));
  };
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail(std::strerror(errno));
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail("it is a folder, not a file of arrays");
  if (!S_ISREG(status.st_mode)) fail("it is no file that can be read by parts");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

FileBytes::~FileBytes() { ::close(descriptor_); }

void FileBytes::read(std::uint64_t at, char* to, std::size_t size) const {
  if (at > size_ || size > size_ - at)
    throw FileError(
        fmt::format("{} is not whole: it has {} bytes, but {} are wanted from byte {} (truncated?)",
                    path_.string(), size_, size, at));
  while (size > 0) {
    const ssize_t got =
        ::pread(descriptor_, to, std::min<std::size_t>(size, 1 << 30), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw FileError(fmt::format("cannot read {}: {}", path_.string(), std::strerror(errno)));
    if (got == 0)
      throw FileError(
          fmt::format("{} became shorter while it was read: byte {} is gone", path_.string(), at));
    to += got;
    at += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
}

std::string FileBytes::read(std::uint64_t at, std::size_t size) const {
  std::string bytes;
  if (at <= size_ && size <= size_ - at) bytes.resize(size);  // or read() says what is wrong
  read(at, bytes.data(), size);
  return bytes;
}

Unpacking::Unpacking(const FileBytes& file, std::uint64_t at, std::uint64_t packed, Kind kind,
                     std::string where)
    : file_(file), at_(at), packed_(packed), where_(std::move(where)) {
  if (inflateInit2(&stream_, kind == Kind::zlib ? MAX_WBITS : -MAX_WBITS) != Z_OK)
    throw OutOfMemory("zlib: out of memory");
}
Unpacking::~Unpacking() { inflateEnd(&stream_); }

void Unpacking::damaged() const {
  throw FileError(fmt::format("{}: its compressed data are damaged or cut off", where_));
}

/// Up to `most` bytes; 0 only at the end.
std::size_t Unpacking::some(char* to, std::size_t most) {
  stream_.next_out = reinterpret_cast<Bytef*>(to);
  stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(most, std::size_t{1} << 30));
  const uInt wanted = stream_.avail_out;
  while (status_ == Z_OK && stream_.avail_out == wanted) {
    if (stream_.avail_in == 0 && packed_ > 0) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(packed_, piece));
      input_ = file_.read(at_, size);
      at_ += size;
      packed_ -= size;
      stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
      stream_.avail_in = static_cast<uInt>(size);
    }
    status_ = inflate(&stream_, Z_NO_FLUSH);
    if (status_ == Z_BUF_ERROR && stream_.avail_in == 0 && packed_ > 0) status_ = Z_OK;  // it wants more
    if (status_ != Z_OK && status_ != Z_STREAM_END) damaged();
  }
  return wanted - stream_.avail_out;
}

void Unpacking::read(char* to, std::size_t size) {
  while (size > 0) {
    const std::size_t got = some(to, size);
    if (got == 0) damaged();
    to += got;
    size -= got;
  }
}

void Unpacking::skip(std::uint64_t size) {
  std::string ignored(static_cast<std::size_t>(std::min<std::uint64_t>(size, piece)), '\0');
  for (; size > 0; size -= std::min<std::uint64_t>(size, piece))
    read(ignored.data(), static_cast<std::size_t>(std::min<std::uint64_t>(size, piece)));
}

void Unpacking::append(std::string& to, std::uint64_t size) {
  constexpr std::uint64_t most_of_one = 1032;  // bytes that one packed byte can stand for
  if (size / most_of_one <= packed_ + stream_.avail_in) to.reserve(to.size() + size);
  while (size > 0) {
    const std::size_t done = to.size();
    const auto next = static_cast<std::size_t>(std::min<std::uint64_t>(size, std::max(piece, done)));
    to.resize(done + next);
    read(to.data() + done, next);
    size -= next;
  }
}

void Unpacking::end() {
  char one = 0;
  if (some(&one, 1) != 0) throw FileError(where_ + ": its compressed data are longer than they should be");
}

}  // namespace sobolev::detail
