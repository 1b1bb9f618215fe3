// SPDX-License-Identifier: Apache-2.0
#include "picture.h"

namespace megalith::media {

void check_size(std::int64_t width, std::int64_t height, std::int64_t max_pixels) {
  check(width >= 1 && height >= 1, "claims to be a picture of ", width, " x ", height, " pixels: it is damaged");
  check(height <= max_pixels / width, "claims to be a picture of ", width, " x ", height, " pixels, and ", max_pixels,
        " are the most that are read; cut it up");
}

void check_holds(std::int64_t width, std::int64_t height, std::int64_t least, std::int64_t bytes) {
  check(bytes >= least, "claims to be a picture of ", width, " x ", height, " pixels, which need at least ", least,
        " bytes, and holds ", bytes, ": it is damaged or cut short");
}

}  // namespace megalith::media
