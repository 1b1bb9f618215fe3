# SPDX-License-Identifier: Apache-2.0
# Which versions of Eigen fit, asked by the build and by the installed package. A check of our own after an unversioned
# find_package, because find_package(Eigen3 3.4) refuses Eigen 5, and the range 3.4...<6 refuses Eigen 3.4.0.

# Sets `result` to a sentence where this version does not fit, else to nothing.
function(megalith_eigen_problem version result)
  set(${result} "" PARENT_SCOPE)
  if(version VERSION_LESS 3.4 OR version VERSION_GREATER_EQUAL 6)
    set(${result} "megalith needs Eigen 3.4 or 5.x, and found \"${version}\"; install libeigen3-dev or set Eigen3_DIR"
        PARENT_SCOPE)
  endif()
endfunction()
