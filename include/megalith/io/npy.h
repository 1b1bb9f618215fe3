// SPDX-License-Identifier: Apache-2.0
// The head of a .npy file, as NumPy reads it.
#pragma once

#include <cstdint>
#include <string>

namespace megalith {

/// What stands before rows * columns little-endian float32, row by row, in a .npy file of format version 1.0.
inline std::string npy_header(std::int64_t rows, std::int64_t columns) {
  std::string dict =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  constexpr std::size_t kStart = 10;                   // magic, version and the length of what follows
  dict.append(63 - (kStart + dict.size()) % 64, ' ');  // the numbers begin at a multiple of 64 bytes
  dict += '\n';
  std::string all("\x93NUMPY\x01\x00", 8);
  all += static_cast<char>(dict.size() & 0xFF);
  all += static_cast<char>(dict.size() >> 8);
  return all + dict;
}

}  // namespace megalith
