// SPDX-License-Identifier: Apache-2.0
#include "src/io/hdf5_sink.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
/// The library's view of an open file; its own part stands first.
struct OpenFile {
  H5FD_t library;
  Hdf5Sink* sink;
  haddr_t allocated;
};
/// What the property list carries.
struct Carried {
  Hdf5Sink* sink;
};

OpenFile& opened(const H5FD_t* file) { return *reinterpret_cast<OpenFile*>(const_cast<H5FD_t*>(file)); }

/// Keeps the first error; after it nothing is touched any more.
template <class Call>
void attempt(Hdf5Sink& sink, Call&& call) {
  if (!sink.error.empty()) return;
  try {
    call();
  } catch (const std::exception& error) {
    sink.error = error.what();
  }
}

H5FD_t* open(const char*, unsigned, hid_t access, haddr_t) {
  const auto* carried = static_cast<const Carried*>(H5Pget_driver_info(access));
  auto* made = carried == nullptr ? nullptr : new (std::nothrow) OpenFile{{}, carried->sink, 0};
  return made == nullptr ? nullptr : &made->library;
}
herr_t close(H5FD_t* file) {
  delete &opened(file);
  return 0;
}
herr_t query(const H5FD_t*, unsigned long* flags) {
  if (flags != nullptr)
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}
haddr_t get_eoa(const H5FD_t* file, H5FD_mem_t) { return opened(file).allocated; }
herr_t set_eoa(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  opened(file).allocated = address;
  return 0;
}
haddr_t get_eof(const H5FD_t* file, H5FD_mem_t) { return opened(file).sink->end; }

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, void* buffer) {
  Hdf5Sink& sink = *opened(file).sink;
  std::memset(buffer, 0, size);  // what was not written is zero
  const auto there = static_cast<std::size_t>(at < sink.end ? std::min<haddr_t>(size, sink.end - at) : 0);
  attempt(sink, [&] { std::memcpy(buffer, sink.file->read(at, there).data(), there); });
  return 0;
}
herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, const void* buffer) {
  Hdf5Sink& sink = *opened(file).sink;
  attempt(sink, [&] { sink.file->write(at, std::string_view(static_cast<const char*>(buffer), size)); });
  sink.end = std::max<haddr_t>(sink.end, at + size);
  return 0;
}
herr_t truncate(H5FD_t* file, hid_t, hbool_t) {
  Hdf5Sink& sink = *opened(file).sink;
  const haddr_t end = opened(file).allocated;
  if (end != sink.end) attempt(sink, [&] { sink.file->resize(end); });
  sink.end = end;
  return 0;
}

H5FD_class_t description() {
  H5FD_class_t driver{};
#ifdef H5FD_CLASS_VERSION
  driver.version = H5FD_CLASS_VERSION;
  driver.value = H5FD_class_value_t(511);  // from the range for use within a program
#endif
  driver.name = "sobolev";
  driver.maxaddr = (haddr_t{1} << 63) - 1;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(Carried);
  driver.open = open;
  driver.close = close;
  driver.query = query;
  driver.get_eoa = get_eoa;
  driver.set_eoa = set_eoa;
  driver.get_eof = get_eof;
  driver.read = read;
  driver.write = write;
  driver.truncate = truncate;
  constexpr H5FD_mem_t data_apart[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(data_apart), std::end(data_apart), std::begin(driver.fl_map));
  return driver;
}
}  // namespace

Hdf5Id Hdf5Sink::make_driver() {
  const H5FD_class_t driver = description();
  return {H5FDregister(&driver), H5FDunregister};
}

Hdf5Id Hdf5Sink::access(const Hdf5Id& driver) {
  Hdf5Id properties(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const Carried carried{this};
  if (H5Pset_driver(properties.get(), driver.get(), &carried) < 0) return {};
  H5Pset_fclose_degree(properties.get(), H5F_CLOSE_STRONG);
  return properties;
}

}  // namespace sobolev::detail
