// SPDX-License-Identifier: Apache-2.0
// In place of png.cpp where there is no libpng.
#include "picture.h"

namespace megalith::media {

Picture read_png(Bytes, std::int64_t) {
  throw Error(
      "is a PNG, and this megalith was built without libpng; build it again where libpng is installed (Debian: libpng-dev), "
      "or "
      "convert the picture: pngtopnm IN.png > OUT.ppm");
}

}  // namespace megalith::media
