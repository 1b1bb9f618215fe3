# SPDX-License-Identifier: Apache-2.0
# What all targets of this project share. Nothing here reaches a consumer.

# Warnings for our own code, and the sanitizers of the debug preset.
function(megalith_own_code target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion)
endfunction()
