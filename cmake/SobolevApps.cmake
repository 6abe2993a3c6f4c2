# SPDX-License-Identifier: Apache-2.0
# The command.
file(GLOB_RECURSE SOBOLEV_APP_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/apps/sobolev/*.cpp")
if(SOBOLEV_APP_SOURCES)
  add_executable(sobolev_command ${SOBOLEV_APP_SOURCES})
  set_target_properties(sobolev_command PROPERTIES OUTPUT_NAME sobolev)
  target_include_directories(sobolev_command PRIVATE "${PROJECT_SOURCE_DIR}")
  # What takes time is in the library; templates of the options' and JSON's libraries keep the compiler busy.
  target_compile_options(sobolev_command PRIVATE $<$<CONFIG:Release>:-O1>)
  target_link_libraries(sobolev_command PRIVATE sobolev::sobolev sobolev_flags CLI11::CLI11 fmt::fmt
                        nlohmann_json::nlohmann_json Threads::Threads)
endif()
