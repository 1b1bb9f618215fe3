// SPDX-License-Identifier: Apache-2.0
// Writing all of some bytes, under a limit of file sizes too.
#pragma once

#include <cstddef>
#include <span>

namespace megalith::detail {

/// Calls write() until all is written; false, with errno, where that fails. What a limit of file sizes (ulimit -f) refuses
/// is the error EFBIG and nothing else. Linux sends SIGXFSZ to the thread besides, which ends a program that has not asked
/// for another answer: no library may do that to its user. The program's handlers and the signals that its threads block
/// stay as they are.
bool write_all(int descriptor, std::span<const std::byte> data);

}  // namespace megalith::detail
