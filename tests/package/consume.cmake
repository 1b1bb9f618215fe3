# SPDX-License-Identifier: Apache-2.0
# Configures the project in a fresh build folder, and where there is a command RUN, builds it and runs that there, on a text as
# standard input.
cmake_minimum_required(VERSION 3.21)
file(REMOVE_RECURSE ${BUILD})
execute_process(COMMAND ${CMAKE_COMMAND} -G ${GENERATOR} -S ${PROJECT} -B ${BUILD} ${OPTIONS} COMMAND_ERROR_IS_FATAL ANY)
if(NOT RUN)
  return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --parallel 2 COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${RUN} INPUT_FILE ${PROJECT}/CMakeLists.txt WORKING_DIRECTORY ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
