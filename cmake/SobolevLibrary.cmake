# SPDX-License-Identifier: Apache-2.0
# The library: host code of src/ and the kernels of every instruction set.
file(GLOB_RECURSE SOBOLEV_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*.cpp")
if(SOBOLEV_CUDA STREQUAL "OFF")  # what is only there with a device: src/<family>/<name>_cuda.cpp
  list(FILTER SOBOLEV_SOURCES EXCLUDE REGEX "_cuda[.]cpp$")
endif()
add_library(sobolev ${SOBOLEV_SOURCES} ${SOBOLEV_KERNEL_OBJECTS})
add_library(sobolev::sobolev ALIAS sobolev)
set_target_properties(sobolev PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
target_compile_features(sobolev PUBLIC cxx_std_20)
target_compile_definitions(sobolev PRIVATE SOBOLEV_VERSION="${PROJECT_VERSION}"
  SOBOLEV_PROBLEMS_SOURCE_DIR="${PROJECT_SOURCE_DIR}/problems"
  SOBOLEV_PROBLEMS_INSTALL_DIR="${CMAKE_INSTALL_PREFIX}/share/sobolev/problems"
  TOML_EXCEPTIONS=1)
target_include_directories(sobolev PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
  PRIVATE "${PROJECT_SOURCE_DIR}" "${SOBOLEV_FFTW_INCLUDE}" "${SOBOLEV_RANDOM123_INCLUDE}")
target_link_libraries(sobolev PRIVATE $<BUILD_INTERFACE:sobolev_flags>
  OpenMP::OpenMP_CXX Threads::Threads fmt::fmt ZLIB::ZLIB PNG::PNG "${SOBOLEV_FFTW_LIBRARY}"
  $<BUILD_INTERFACE:tomlplusplus::tomlplusplus> $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
if(NOT SOBOLEV_CUDA STREQUAL "OFF")
  target_sources(sobolev PRIVATE $<TARGET_OBJECTS:sobolev_cuda_kernels>)
  target_compile_definitions(sobolev PUBLIC SOBOLEV_HAS_CUDA=1)
  target_link_libraries(sobolev PRIVATE $<BUILD_INTERFACE:${SOBOLEV_CUDA_LIBRARIES}>)
endif()
