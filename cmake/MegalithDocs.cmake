# SPDX-License-Identifier: Apache-2.0
# The target docs, where Doxygen is found: the API reference, into docs/html of the build folder.
find_package(Doxygen QUIET)
if(DOXYGEN_FOUND)
  set(docs ${PROJECT_BINARY_DIR}/docs)
  file(MAKE_DIRECTORY ${docs})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/Doxyfile.in ${docs}/Doxyfile @ONLY)
  add_custom_target(docs COMMAND Doxygen::doxygen ${docs}/Doxyfile COMMENT "API reference: ${docs}/html/index.html" VERBATIM)
endif()
