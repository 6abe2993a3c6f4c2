// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace sobolev {

/// Base of every exception thrown by the library.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A call with impossible arguments; the message carries the values.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be read or written; the message names the path and the reason.
class FileError : public Error {
 public:
  using Error::Error;
};

class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// No such device, or the device failed.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// The training produced a non-finite loss and could not recover.
class DivergenceError : public Error {
 public:
  using Error::Error;
};

/// Where something stands in a text; line and column count from 1, 0 means unknown.
struct SourcePosition {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
};

/// A text that is not what it should be. what() is "file:line:column: message".
class ParseError : public Error {
 public:
  ParseError(SourcePosition position, const std::string& message);
  const SourcePosition& position() const { return position_; }
  /// The message without its position.
  const std::string& message() const { return message_; }

 private:
  SourcePosition position_;
  std::string message_;
};

/// Throws ArgumentError unless the condition holds. Where a call must take no memory, or is made often, the
/// message is a function that makes it.
inline void require(bool condition, const char* message) {
  if (!condition) throw ArgumentError(message);
}
inline void require(bool condition, const std::string& message) {
  if (!condition) throw ArgumentError(message);
}
template <std::invocable Message>
void require(bool condition, const Message& message) {
  if (!condition) throw ArgumentError(message());
}

/// Throws an Error that names the place: for what cannot happen unless the library is wrong.
void ensure(bool condition, const char* what, const char* file = __builtin_FILE(),
            int line = __builtin_LINE());

}  // namespace sobolev
