// SPDX-License-Identifier: Apache-2.0
// In place of jpeg.cpp where there is no libjpeg.
#include "picture.h"

namespace megalith::media {

Picture read_jpeg(Bytes, std::int64_t) {
  throw Error(
      "is a JPEG, and this megalith was built without libjpeg; build it again where libjpeg-turbo is installed (Debian: "
      "libjpeg-dev), or convert the picture: djpeg IN.jpg > OUT.ppm");
}

}  // namespace megalith::media
