# SPDX-License-Identifier: Apache-2.0
# An unversioned call and a check of our own: find_package(Eigen3 3.4) refuses Eigen 5, and a range refuses Debian's 3.4.0.
find_package(Eigen3 REQUIRED NO_MODULE)
if(Eigen3_VERSION VERSION_LESS 3.4 OR Eigen3_VERSION VERSION_GREATER_EQUAL 6)
  message(FATAL_ERROR "megalith needs Eigen 3.4 or 5.x, and found ${Eigen3_VERSION}; install libeigen3-dev or set Eigen3_DIR")
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(nlohmann_json REQUIRED)

message(STATUS "megalith: Eigen ${Eigen3_VERSION}, x86 kernels ${MEGALITH_X86_KERNELS}, native ${MEGALITH_NATIVE}")
