# SPDX-License-Identifier: Apache-2.0
# Configures PROJECT against the installed package and an Eigen that says it has VERSION.
cmake_minimum_required(VERSION 3.21)
file(REMOVE_RECURSE ${BUILD})
file(WRITE ${BUILD}/eigen/Eigen3Config.cmake "add_library(Eigen3::Eigen INTERFACE IMPORTED)\n")
file(WRITE ${BUILD}/eigen/Eigen3ConfigVersion.cmake
     "set(PACKAGE_VERSION ${VERSION})\nset(PACKAGE_VERSION_COMPATIBLE FALSE)\n")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${PROJECT} -B ${BUILD} ${OPTIONS} -DMEGALITH_FROM=package
                        -DCMAKE_PREFIX_PATH=${PREFIX} -DEigen3_DIR=${BUILD}/eigen COMMAND_ERROR_IS_FATAL ANY)
