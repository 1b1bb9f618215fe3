# SPDX-License-Identifier: Apache-2.0
# Runs PROGRAM with ARGUMENTS and the file INPUT, after FRESH is removed; fails unless it exits with 0 and prints EXPECTED.
cmake_minimum_required(VERSION 3.21)
file(REMOVE_RECURSE ${FRESH})
get_filename_component(folder ${FRESH} DIRECTORY)
file(MAKE_DIRECTORY ${folder})
execute_process(COMMAND ${PROGRAM} ${ARGUMENTS} INPUT_FILE ${INPUT} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
if(NOT code EQUAL 0 OR NOT err STREQUAL "" OR NOT out MATCHES "${EXPECTED}")
  message(FATAL_ERROR "exit code ${code}; expected '${EXPECTED}' in:\n${out}\n${err}")
endif()
