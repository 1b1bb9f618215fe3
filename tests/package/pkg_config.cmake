# SPDX-License-Identifier: Apache-2.0
# Compiles SOURCE with what pkg-config says, then FLAGS, without CMake, and runs it.
cmake_minimum_required(VERSION 3.21)
file(REMOVE_RECURSE ${BUILD})
file(MAKE_DIRECTORY ${BUILD})
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
set(ENV{LD_LIBRARY_PATH} ${PREFIX}/${LIBDIR})  # where it is shared
if(VERSION)
  execute_process(COMMAND ${PKG_CONFIG} --exact-version=${VERSION} megalith COMMAND_ERROR_IS_FATAL ANY)
endif()
execute_process(COMMAND ${PKG_CONFIG} --cflags megalith OUTPUT_VARIABLE compile COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PKG_CONFIG} --libs megalith OUTPUT_VARIABLE link COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(arguments UNIX_COMMAND "-std=c++20 ${compile} ${FLAGS} ${SOURCE} -o consumer ${link}")
execute_process(COMMAND ${CXX} ${arguments} WORKING_DIRECTORY ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ./consumer ${SOURCE} run WORKING_DIRECTORY ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
