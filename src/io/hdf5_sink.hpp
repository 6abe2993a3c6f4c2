// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5 files written through a TemporaryFile.
#include <string>

#include "src/io/hdf5_library.hpp"
#include "src/io/temporary_file.hpp"

namespace sobolev::detail {

/// Takes what the HDF5 library writes. The library cannot close a file of which something could not be
/// written (a full disk), and crashes when the program ends; so it hears of no error, and `error` has the
/// first one.
struct Hdf5Sink {
  TemporaryFile* file;
  std::string error;
  haddr_t end = 0;  // of what was written

  /// For H5Fcreate: a property list, and the driver behind it, to be kept as long. Within an Hdf5Turn.
  static Hdf5Id make_driver();
  Hdf5Id access(const Hdf5Id& driver);
};

}  // namespace sobolev::detail
