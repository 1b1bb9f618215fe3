// SPDX-License-Identifier: Apache-2.0
// Many small pictures as one.
#pragma once

#include <cstdint>

#include "picture.h"

namespace megalith::media {

/// What raw bytes do not tell of themselves.
struct Shape {
  std::int64_t width = 0, height = 0;
  int channels = 3;

  std::int64_t bytes() const { return width * height * channels; }
};

/// The number of columns with which a sheet of `count` pictures is nearest to a square.
std::int64_t square_columns(const Shape& shape, std::int64_t count);

/// The sheet of all pictures that `bytes` hold, one behind the other: rows of `columns`, with nothing between them, and
/// black where the last row ends early. A part of a picture at the end is left out. Throws Error where there is not one
/// whole picture, and where the sheet would have more than kMaxPixels.
Picture sheet(const Shape& shape, std::int64_t columns, Bytes bytes);

}  // namespace megalith::media
