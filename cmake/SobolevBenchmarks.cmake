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
