# SPDX-License-Identifier: Apache-2.0
# One test program per family: tests/<family>/*_test.cpp -> test_<family>. The examples are tests
# too: each must print what its "// Expect:" line says (a regular expression).
enable_testing()
find_package(GTest REQUIRED)
include(GoogleTest)
# For the tests of the installation, whose builds find the objects of this one in ccache.
set(SOBOLEV_SAME_FLAGS "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DSOBOLEV_WERROR=${SOBOLEV_WERROR}")
string(APPEND SOBOLEV_SAME_FLAGS " -DSOBOLEV_KERNEL_OPTIMIZATION=${SOBOLEV_KERNEL_OPTIMIZATION}")
if(SOBOLEV_CUDA STREQUAL "SIMULATED")
  string(APPEND SOBOLEV_SAME_FLAGS " -DSOBOLEV_CUDA=SIMULATED")
endif()
set(SOBOLEV_OBJECTS_AT_HAND 0)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache")
  set(SOBOLEV_OBJECTS_AT_HAND 1)
endif()

# What a test does itself takes little time; compiling it does.
set(SOBOLEV_TEST_OPTIMIZATION "-O0" CACHE STRING "The compiler's optimisation of tests/")

file(GLOB SOBOLEV_TEST_FAMILIES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*")
foreach(directory IN LISTS SOBOLEV_TEST_FAMILIES)
  get_filename_component(family "${directory}" NAME)
  if(family STREQUAL "simulated" AND NOT SOBOLEV_CUDA STREQUAL "SIMULATED")
    continue()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${directory}/*_test.cpp")
  if(sources)
    add_executable(test_${family} ${sources})
    target_include_directories(test_${family} PRIVATE "${PROJECT_SOURCE_DIR}" "${SOBOLEV_RANDOM123_INCLUDE}")
    target_compile_definitions(test_${family} PRIVATE
      SOBOLEV_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SOBOLEV_BINARY_DIR="${CMAKE_BINARY_DIR}"
      SOBOLEV_COMMAND="${CMAKE_BINARY_DIR}/bin/sobolev")
    target_compile_options(test_${family} PRIVATE ${SOBOLEV_TEST_OPTIMIZATION})
    target_link_libraries(test_${family} PRIVATE sobolev::sobolev sobolev_flags GTest::gtest_main
      GTest::gmock fmt::fmt nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus OpenMP::OpenMP_CXX Threads::Threads ZLIB::ZLIB PNG::PNG)
    if(family STREQUAL "install")
      target_compile_definitions(test_install PRIVATE SOBOLEV_SAME_FLAGS="${SOBOLEV_SAME_FLAGS}"
        SOBOLEV_OBJECTS_AT_HAND=${SOBOLEV_OBJECTS_AT_HAND})
    endif()
    if(family STREQUAL "simulated")
      target_compile_definitions(test_${family} PRIVATE SOBOLEV_CUDA_SIMULATED=1)
    endif()
    if(TARGET sobolev_command AND family MATCHES "^(apps|install)$")  # which run it
      add_dependencies(test_${family} sobolev_command)
    endif()
    gtest_discover_tests(test_${family} TEST_PREFIX "${family}." DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 900 ENVIRONMENT "OMP_WAIT_POLICY=passive")
    # What runs on the simulated device, again in other orders of its threads (kernels/simulated/block.hpp); a
    # training has only kernels that tests of their own run.
    if(SOBOLEV_CUDA STREQUAL "SIMULATED")
      foreach(schedule 1 2)
        gtest_discover_tests(test_${family} TEST_PREFIX "${family}.schedule${schedule}."
          TEST_FILTER "*Cuda*:-*DeathTest*:*Solve*:*Divergence*" TEST_LIST ${family}_schedule${schedule} DISCOVERY_TIMEOUT 60
          PROPERTIES TIMEOUT 900 ENVIRONMENT "OMP_WAIT_POLICY=passive;SOBOLEV_SCHEDULE=${schedule}")
      endforeach()
    endif()
  endif()
endforeach()

file(GLOB SOBOLEV_EXAMPLES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/*.cpp")
foreach(source IN LISTS SOBOLEV_EXAMPLES)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(example_${name} "${source}")
  target_link_libraries(example_${name} PRIVATE sobolev::sobolev sobolev_flags)
  file(STRINGS "${source}" expect REGEX "^// Expect: ")
  string(REPLACE "// Expect: " "" expect "${expect}")
  add_test(NAME examples.${name} COMMAND example_${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(examples.${name} PROPERTIES PASS_REGULAR_EXPRESSION "${expect}" TIMEOUT 300)
endforeach()
