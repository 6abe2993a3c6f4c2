# SPDX-License-Identifier: Apache-2.0
# The CUDA back end: every .cu file of kernels/, compiled by nvcc (ON) or, as C++ against the simulated
# device of kernels/simulated/, by the host's compiler (SIMULATED).
if(SOBOLEV_CUDA STREQUAL "OFF")
  return()
endif()
if(SOBOLEV_CUDA STREQUAL "ON")
  # For the device at hand; without one for A100 and H100, and what is newer compiles the PTX of the first.
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES native)
  endif()
  enable_language(CUDA)
  if(CMAKE_CUDA_ARCHITECTURES STREQUAL "native" AND NOT CMAKE_CUDA_ARCHITECTURES_NATIVE MATCHES "[0-9]")
    set(CMAKE_CUDA_ARCHITECTURES "80;90a-real")
  endif()
  message(STATUS "CUDA architectures: ${CMAKE_CUDA_ARCHITECTURES}")
endif()
file(GLOB_RECURSE SOBOLEV_CUDA_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/*.cu")
if(SOBOLEV_CUDA STREQUAL "SIMULATED")  # <op>_<library>.cu: what a library does
  list(FILTER SOBOLEV_CUDA_SOURCES EXCLUDE REGEX "_(cublas|cusolver)[.]cu$")
endif()
add_library(sobolev_cuda_kernels OBJECT ${SOBOLEV_CUDA_SOURCES})
target_include_directories(sobolev_cuda_kernels PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}")
# .cu files see the code that they share with the CPU's kernels in a namespace of their own.
target_compile_definitions(sobolev_cuda_kernels PRIVATE SOBOLEV_HAS_CUDA=1 SOBOLEV_TARGET=target_cuda
                           SOBOLEV_TARGET_cuda=1)
target_link_libraries(sobolev_cuda_kernels PRIVATE fmt::fmt)

if(SOBOLEV_CUDA STREQUAL "SIMULATED")
  find_package(Boost REQUIRED COMPONENTS context)
  file(GLOB SOBOLEV_SIMULATED_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/simulated/*.cpp")
  set_source_files_properties(${SOBOLEV_CUDA_SOURCES} PROPERTIES LANGUAGE CXX)
  target_sources(sobolev_cuda_kernels PRIVATE ${SOBOLEV_SIMULATED_SOURCES})
  target_compile_definitions(sobolev_cuda_kernels PUBLIC SOBOLEV_CUDA_SIMULATED=1)
  target_link_libraries(sobolev_cuda_kernels PRIVATE sobolev_flags OpenMP::OpenMP_CXX Boost::context)
  # A simulated kernel waits for its fibres: more optimisation takes the compiler's time and no less of the tests'.
  target_compile_options(sobolev_cuda_kernels PRIVATE $<$<CONFIG:Release>:-O1>)
  # nvcc's #pragma unroll; arrays of as many channels as there may be, of which the first ones are used.
  target_compile_options(sobolev_cuda_kernels PRIVATE -Wno-unknown-pragmas
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  # Under sanitizers kernels are checked for what they do with memory; nothing returns from a fibre's stack.
  add_library(sobolev_device_sanitizers INTERFACE)  # after sobolev_flags
  if(SOBOLEV_SANITIZE)
    target_compile_options(sobolev_device_sanitizers INTERFACE -fno-sanitize=pointer-overflow
                           $<$<CXX_COMPILER_ID:GNU>:SHELL:--param asan-use-after-return=0>)
  endif()
  target_link_libraries(sobolev_cuda_kernels PRIVATE sobolev_device_sanitizers)
  set(SOBOLEV_CUDA_LIBRARIES Boost::context)
  set(SOBOLEV_CUDA_DEPENDENCY "  find_dependency(Boost COMPONENTS context)\n")
else()
  find_package(CUDAToolkit REQUIRED)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake before 3.25.2 does not know that nvcc has it
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  # ptxas' report of every object stays beside it, for tools/ptxas_report.py.
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set_target_properties(sobolev_cuda_kernels PROPERTIES CUDA_COMPILER_LAUNCHER
    "${Python3_EXECUTABLE};${PROJECT_SOURCE_DIR}/tools/ptxas_report.py;--run")
  target_compile_options(sobolev_cuda_kernels PRIVATE -Xptxas=-v)
  # A few files have most of the kernels.
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.2)
    target_compile_options(sobolev_cuda_kernels PRIVATE --threads=0 --split-compile=0)
  endif()
  if(SOBOLEV_WERROR)
    target_compile_options(sobolev_cuda_kernels PRIVATE "SHELL:-Werror all-warnings")
  endif()
  # 554: a View<const T> needs no conversion to itself.
  target_compile_options(sobolev_cuda_kernels PRIVATE --expt-relaxed-constexpr -diag-suppress=554)
  set_target_properties(sobolev_cuda_kernels PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON)
  # Programs start without the toolkit, too: cuBLAS and cuSOLVER are loaded when they are first asked for.
  set(SOBOLEV_CUDA_LIBRARIES CUDA::cudart_static)
  target_compile_definitions(sobolev_cuda_kernels PRIVATE
                             SOBOLEV_CUDA_LIBRARY_DIR="${CUDAToolkit_LIBRARY_DIR}")
  set(SOBOLEV_CUDA_DEPENDENCY "  find_dependency(CUDAToolkit)\n")
endif()
