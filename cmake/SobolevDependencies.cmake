# SPDX-License-Identifier: Apache-2.0
# Everything here comes from the distribution; docs/building.md lists the Debian packages.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # a project above this one links them, too
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_path(SOBOLEV_FFTW_INCLUDE fftw3.h REQUIRED)
find_library(SOBOLEV_FFTW_LIBRARY fftw3 REQUIRED)
add_library(sobolev::fftw3 UNKNOWN IMPORTED GLOBAL)
set_target_properties(sobolev::fftw3 PROPERTIES IMPORTED_LOCATION "${SOBOLEV_FFTW_LIBRARY}"
                      INTERFACE_INCLUDE_DIRECTORIES "${SOBOLEV_FFTW_INCLUDE}")
# The serial library, which Debian keeps apart from those for MPI; its C interface is all that is used.
find_path(SOBOLEV_HDF5_INCLUDE hdf5.h PATH_SUFFIXES hdf5/serial REQUIRED)
find_library(SOBOLEV_HDF5_LIBRARY NAMES hdf5_serial hdf5 PATH_SUFFIXES hdf5/serial REQUIRED)
add_library(sobolev::hdf5 UNKNOWN IMPORTED GLOBAL)
set_target_properties(sobolev::hdf5 PROPERTIES IMPORTED_LOCATION "${SOBOLEV_HDF5_LIBRARY}"
                      INTERFACE_INCLUDE_DIRECTORIES "${SOBOLEV_HDF5_INCLUDE}")
find_path(SOBOLEV_RANDOM123_INCLUDE Random123/philox.h REQUIRED)
if(SOBOLEV_BUILD_APPS)
  find_package(CLI11 REQUIRED)
endif()
