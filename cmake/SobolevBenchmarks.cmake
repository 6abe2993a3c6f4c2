# SPDX-License-Identifier: Apache-2.0
# All benchmarks in one program: benchmarks/<family>/*_bench.cpp -> sobolev_bench.
find_package(benchmark REQUIRED)
file(GLOB_RECURSE SOBOLEV_BENCH_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/benchmarks/*_bench.cpp")
if(SOBOLEV_BENCH_SOURCES)
  add_executable(sobolev_bench ${SOBOLEV_BENCH_SOURCES})
  target_include_directories(sobolev_bench PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(sobolev_bench PRIVATE SOBOLEV_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(sobolev_bench PRIVATE sobolev::sobolev sobolev_flags benchmark::benchmark_main fmt::fmt)
endif()

# OpenBLAS is no part of the library: a program of its own compares with it.
find_package(OpenBLAS CONFIG QUIET)
if(OpenBLAS_FOUND)
  add_executable(against_openblas "${PROJECT_SOURCE_DIR}/benchmarks/linalg/against_openblas.cpp")
  target_include_directories(against_openblas PRIVATE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(against_openblas PRIVATE sobolev::sobolev sobolev_flags OpenMP::OpenMP_CXX fmt::fmt
    ${OpenBLAS_LIBRARIES})
endif()
