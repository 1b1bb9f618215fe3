# SPDX-License-Identifier: Apache-2.0
# What all targets of this project share. Nothing here reaches a consumer.

# Warnings for our own code. GCC 12 calls the undefined start value inside its own AVX-512 intrinsics uninitialised wherever
# Eigen reduces or exponentiates a row; Clang tells what truly is.
function(megalith_own_code target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion
                                           "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-uninitialized>")
  # Files have helpers of their own with the same names: CMAKE_UNITY_BUILD of a project around this one is not for them.
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
endfunction()

# Headers of others that are slow to read are read once for a target instead of once for each of its files. The preset clang
# does without, so that a file that fails to include what it uses is found; headers of our own are compiled alone by
# tests/structure.
function(megalith_precompile target)
  target_precompile_headers(${target} PRIVATE
    <algorithm> <cmath> <filesystem> <functional> <memory> <optional> <span> <string> <vector> <Eigen/Core> ${ARGN})
  target_compile_options(${target} PRIVATE ${MEGALITH_PRECOMPILE_OPTIONS})
endfunction()
