# SPDX-License-Identifier: Apache-2.0
# Every file of kernels/ is compiled once per instruction set into its own namespace; the best one
# the processor has is chosen at run time (kernels/common/dispatch.hpp). Kernels are optimised in
# every build type: an unoptimised one would be too slow to test. Where they are only compiled, or run
# under sanitizers, -O1 saves minutes.
set(SOBOLEV_KERNEL_OPTIMIZATION "-O3" CACHE STRING "The compiler's optimisation of kernels/")
file(GLOB_RECURSE SOBOLEV_KERNEL_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/*.cpp")
list(FILTER SOBOLEV_KERNEL_SOURCES EXCLUDE REGEX "/kernels/simulated/")

set(SOBOLEV_KERNEL_TARGETS baseline)
set(SOBOLEV_KERNEL_FLAGS_baseline "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  list(APPEND SOBOLEV_KERNEL_TARGETS avx2 avx512)
  set(SOBOLEV_KERNEL_FLAGS_avx2 -mavx2 -mfma -mbmi -mbmi2)
  set(SOBOLEV_KERNEL_FLAGS_avx512 -mavx2 -mfma -mbmi -mbmi2
      -mavx512f -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512)
endif()

# Pointers of kernels, which address SIMD vectors inside plain arrays, are left to the address sanitizer.
add_library(sobolev_kernel_sanitizers INTERFACE)
if(SOBOLEV_SANITIZE)
  target_compile_options(sobolev_kernel_sanitizers INTERFACE -fno-sanitize=pointer-overflow)
  # GCC 12 gives instrumented frames less alignment than the SIMD vectors in them need: memory on the heap,
  # where all arrays are, stays checked.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(sobolev_kernel_sanitizers INTERFACE "SHELL:--param asan-stack=0")
  endif()
endif()

set(SOBOLEV_KERNEL_OBJECTS)
add_custom_target(kernel_objects)  # for ./dev lint, which looks at their symbols
foreach(target IN LISTS SOBOLEV_KERNEL_TARGETS)
  add_library(sobolev_kernels_${target} OBJECT ${SOBOLEV_KERNEL_SOURCES})
  target_include_directories(sobolev_kernels_${target} PRIVATE
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(sobolev_kernels_${target} PRIVATE SOBOLEV_TARGET=target_${target}
    SOBOLEV_TARGET_${target}=1 $<$<STREQUAL:${target},baseline>:SOBOLEV_DISPATCHER=1>)
  target_compile_options(sobolev_kernels_${target} PRIVATE ${SOBOLEV_KERNEL_OPTIMIZATION} -fno-math-errno -fno-trapping-math
    -ffp-contract=fast ${SOBOLEV_KERNEL_FLAGS_${target}})
  target_link_libraries(sobolev_kernels_${target} PRIVATE sobolev_flags sobolev_kernel_sanitizers
    OpenMP::OpenMP_CXX fmt::fmt)
  list(APPEND SOBOLEV_KERNEL_OBJECTS $<TARGET_OBJECTS:sobolev_kernels_${target}>)
  add_dependencies(kernel_objects sobolev_kernels_${target})
endforeach()
