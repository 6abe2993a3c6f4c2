# SPDX-License-Identifier: Apache-2.0
# Options of the build and the flags common to all targets.
set(SOBOLEV_CUDA "OFF" CACHE STRING "CUDA back end: OFF, ON (nvcc) or SIMULATED (a device for tests)")
set_property(CACHE SOBOLEV_CUDA PROPERTY STRINGS OFF ON SIMULATED)
if(NOT SOBOLEV_CUDA MATCHES "^(OFF|ON|SIMULATED)$")
  message(FATAL_ERROR "SOBOLEV_CUDA=${SOBOLEV_CUDA}: must be OFF, ON or SIMULATED")
endif()

option(SOBOLEV_BUILD_APPS "Build the sobolev command" ${PROJECT_IS_TOP_LEVEL})
option(SOBOLEV_BUILD_TESTS "Build tests and examples" ${PROJECT_IS_TOP_LEVEL})
option(SOBOLEV_BUILD_BENCHMARKS "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(SOBOLEV_INSTALL "Install the library, its headers and its CMake package" ${PROJECT_IS_TOP_LEVEL})
option(SOBOLEV_WERROR "Treat warnings as errors" OFF)
set(SOBOLEV_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
option(SOBOLEV_COVERAGE "Instrument kernels/ and src/ for line coverage" OFF)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(SOBOLEV_CCACHE ccache)
if(SOBOLEV_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SOBOLEV_CCACHE}")
endif()

add_library(sobolev_flags INTERFACE)
target_compile_options(sobolev_flags INTERFACE -Wall -Wextra -Wno-psabi
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # GCC 12 warns inside std::string (PR 105651)
if(SOBOLEV_WERROR)
  target_compile_options(sobolev_flags INTERFACE -Werror)
endif()
if(SOBOLEV_SANITIZE)
  # Left out: what the address sanitizer or a fault tells as well. Half of the compiler's time.
  target_compile_options(sobolev_flags INTERFACE -fsanitize=${SOBOLEV_SANITIZE}
                         -fno-sanitize=null,alignment,object-size,vptr
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(sobolev_flags INTERFACE -fsanitize=${SOBOLEV_SANITIZE})
endif()
if(SOBOLEV_COVERAGE)
  target_compile_options(sobolev_flags INTERFACE --coverage)
  target_link_options(sobolev_flags INTERFACE --coverage)
endif()
