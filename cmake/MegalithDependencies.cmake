# SPDX-License-Identifier: Apache-2.0
include(megalithEigen)
if(NOT TARGET Eigen3::Eigen)  # as it is where the surrounding project brings its own
  find_package(Eigen3 REQUIRED NO_MODULE)
  megalith_eigen_problem("${Eigen3_VERSION}" problem)
  if(problem)
    message(FATAL_ERROR "${problem}")
  endif()
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)
if(NOT TARGET nlohmann_json::nlohmann_json)
  find_package(nlohmann_json REQUIRED)
endif()
if(MEGALITH_BUILD_TOOL AND MEGALITH_IMAGES)  # AUTO is true
  set(required)
  if(NOT MEGALITH_IMAGES STREQUAL "AUTO")
    set(required REQUIRED)
  endif()
  find_package(PNG QUIET ${required})
  find_package(JPEG QUIET ${required})
endif()

message(STATUS "megalith: Eigen ${Eigen3_VERSION}, x86 kernels ${MEGALITH_X86_KERNELS}, native ${MEGALITH_NATIVE}")
