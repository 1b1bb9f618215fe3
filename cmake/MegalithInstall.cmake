# SPDX-License-Identifier: Apache-2.0
# The installed package: headers, library, what find_package(megalith) and pkg-config read, the command and the texts. The
# installed tree may be moved.
include(CMakePackageConfigHelpers)

# Texts keep their folders, so that the links between them hold, and what they lead to comes along.
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY include bench DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} REGEX "/examples/books/.*[.]txt$" EXCLUDE)
install(DIRECTORY include/megalith DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

install(TARGETS megalith EXPORT megalithTargets)
if(TARGET megalith_tool)
  file(RELATIVE_PATH library_from_tool ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(megalith_tool PROPERTIES INSTALL_RPATH "$ORIGIN/${library_from_tool}")  # for a shared library
  install(TARGETS megalith_tool)
  if(NOT CMAKE_CROSSCOMPILING)  # src/tool/CMakeLists.txt makes them
    install(FILES ${PROJECT_BINARY_DIR}/megalith.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${PROJECT_BINARY_DIR}/megalith.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
            RENAME megalith)
  endif()
endif()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/megalith)
install(EXPORT megalithTargets NAMESPACE megalith:: DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/megalithConfig.cmake.in ${PROJECT_BINARY_DIR}/megalithConfig.cmake
  INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/megalithConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/megalithConfig.cmake ${PROJECT_BINARY_DIR}/megalithConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/megalithEigen.cmake DESTINATION ${package})

# Folders from the prefix, whether they were given so or as whole paths.
foreach(folder libdir includedir)
  string(TOUPPER ${folder} name)
  file(RELATIVE_PATH ${folder} ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_${name}})
endforeach()
file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
set(native)
if(MEGALITH_NATIVE)
  set(native " -march=native")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/megalith.pc.in ${PROJECT_BINARY_DIR}/megalith.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/megalith.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
