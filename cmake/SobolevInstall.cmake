# SPDX-License-Identifier: Apache-2.0
# cmake --install: library, headers, problems, models, command and the package sobolev (sobolev::sobolev).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS sobolev EXPORT sobolevTargets)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/sobolev" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/problems" "${PROJECT_SOURCE_DIR}/models" DESTINATION ${CMAKE_INSTALL_DATADIR}/sobolev)
if(TARGET sobolev_command)
  # The whole prefix can be moved.
  file(RELATIVE_PATH to_libraries "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
  set_target_properties(sobolev_command PROPERTIES INSTALL_RPATH "\$ORIGIN/${to_libraries}")
  install(TARGETS sobolev_command)
endif()
install(EXPORT sobolevTargets NAMESPACE sobolev:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sobolev)
set(SOBOLEV_PROBLEMS_FOLDER "${CMAKE_INSTALL_DATADIR}/sobolev/problems")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/sobolevConfig.cmake.in"
  "${CMAKE_BINARY_DIR}/sobolevConfig.cmake" INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sobolev
  PATH_VARS SOBOLEV_PROBLEMS_FOLDER)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/sobolevConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/sobolevConfig.cmake" "${CMAKE_BINARY_DIR}/sobolevConfigVersion.cmake"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sobolev)
