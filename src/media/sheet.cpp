// SPDX-License-Identifier: Apache-2.0
#include "sheet.h"

#include <algorithm>
#include <cmath>

namespace megalith::media {

std::int64_t square_columns(const Shape& shape, std::int64_t count) {
  const double all = static_cast<double>(count) * static_cast<double>(shape.height) / static_cast<double>(shape.width);
  return std::clamp<std::int64_t>(std::llround(std::sqrt(all)), 1, std::max<std::int64_t>(1, count));
}

Picture sheet(const Shape& shape, std::int64_t columns, Bytes bytes) {
  const std::int64_t count = std::ssize(bytes) / shape.bytes();
  check(count > 0, "there are ", bytes.size(), " bytes, and a picture of ", shape.width, " x ", shape.height, " x ",
        shape.channels, " has ", shape.bytes());
  const std::int64_t wide = std::min(columns, count), rows = (count - 1) / wide + 1;
  check(shape.height * rows <= kMaxPixels / shape.width / wide, "a sheet of ", wide, " x ", rows,
        " such pictures has more than ", kMaxPixels, " pixels; show fewer of them");
  Picture all{.width = shape.width * wide, .height = shape.height * rows, .channels = shape.channels};
  all.pixels.resize(static_cast<std::size_t>(all.row_bytes() * all.height));
  const std::int64_t row = shape.width * shape.channels;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t left = i % wide * row, top = i / wide * shape.height;
    for (std::int64_t y = 0; y < shape.height; ++y)
      std::copy_n(bytes.begin() + i * shape.bytes() + y * row, row, all.pixels.begin() + (top + y) * all.row_bytes() + left);
  }
  return all;
}

}  // namespace megalith::media
