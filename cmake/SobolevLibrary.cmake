# SPDX-License-Identifier: Apache-2.0
# The library: host code of src/ and the kernels of every instruction set.
file(GLOB_RECURSE SOBOLEV_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*.cpp")
if(SOBOLEV_CUDA STREQUAL "OFF")  # what is only there with a device: src/<family>/<name>_cuda.cpp
  list(FILTER SOBOLEV_SOURCES EXCLUDE REGEX "_cuda[.]cpp$")
endif()
add_library(sobolev ${SOBOLEV_SOURCES} ${SOBOLEV_KERNEL_OBJECTS})
add_library(sobolev::sobolev ALIAS sobolev)
set_target_properties(sobolev PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 DEFINE_SYMBOL "")
get_target_property(SOBOLEV_LIBRARY_TYPE sobolev TYPE)
target_compile_features(sobolev PUBLIC cxx_std_20)
target_compile_definitions(sobolev PRIVATE SOBOLEV_VERSION="${PROJECT_VERSION}" TOML_EXCEPTIONS=1)
# Internal errors name files of src/: where those stood when this was built means nothing elsewhere.
target_compile_options(sobolev PRIVATE "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
target_include_directories(sobolev PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
  PRIVATE "${PROJECT_SOURCE_DIR}" "${SOBOLEV_RANDOM123_INCLUDE}")

# A program that an archive is linked into must link these as well, and the package finds them for it
# (sobolevConfig.cmake.in); a shared library brings them along.
set(SOBOLEV_LIBRARIES OpenMP::OpenMP_CXX Threads::Threads fmt::fmt ZLIB::ZLIB PNG::PNG sobolev::fftw3 sobolev::hdf5
    tomlplusplus::tomlplusplus ${CMAKE_DL_LIBS})
# src/ includes nothing of a device's libraries: it compiles to the same objects for all kinds of them.
foreach(library IN LISTS SOBOLEV_CUDA_LIBRARIES)
  list(APPEND SOBOLEV_LIBRARIES $<LINK_ONLY:${library}>)
endforeach()
if(SOBOLEV_LIBRARY_TYPE STREQUAL "SHARED_LIBRARY")
  list(TRANSFORM SOBOLEV_LIBRARIES REPLACE "(.+)" "$<BUILD_INTERFACE:\\1>")
endif()
target_link_libraries(sobolev PRIVATE $<BUILD_INTERFACE:sobolev_flags>
  $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> ${SOBOLEV_LIBRARIES})
if(NOT SOBOLEV_CUDA STREQUAL "OFF")
  # The files of src/ that do not ask for a device are the same in builds with and without one.
  foreach(source ${SOBOLEV_SOURCES})
    file(STRINGS "${source}" asks REGEX "SOBOLEV_HAS_CUDA" LIMIT_COUNT 1)
    if(asks OR source MATCHES "_cuda[.]cpp$")
      set_source_files_properties("${source}" PROPERTIES COMPILE_DEFINITIONS SOBOLEV_HAS_CUDA=1)
    endif()
  endforeach()
  target_sources(sobolev PRIVATE $<TARGET_OBJECTS:sobolev_cuda_kernels>)
  target_compile_definitions(sobolev INTERFACE SOBOLEV_HAS_CUDA=1)
endif()

# Programs of this build find the problems as installed ones do: in a share/sobolev/problems above them.
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/share/sobolev")
if(NOT EXISTS "${CMAKE_BINARY_DIR}/share/sobolev/problems")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/problems" "${CMAKE_BINARY_DIR}/share/sobolev/problems" SYMBOLIC)
endif()
