// SPDX-License-Identifier: Apache-2.0
// write() under a limit of file sizes.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace megalith::detail {

/// write(), where what a limit of file sizes (ulimit -f) refuses is the error EFBIG and nothing else. Linux sends SIGXFSZ to
/// the thread besides, which ends a program that has not asked for another answer: no library may do that to its user. The
/// program's handlers and the signals that its threads block stay as they are.
ssize_t limited_write(int descriptor, const void* data, std::size_t bytes);

}  // namespace megalith::detail
