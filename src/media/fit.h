// SPDX-License-Identifier: Apache-2.0
// Pictures of one size, and of one number of channels, out of pictures of any.
#pragma once

#include <cstdint>
#include <vector>

#include "picture.h"

namespace megalith::media {

struct Size {
  std::int64_t width = 0, height = 0;
};

/// The part of a picture from (x, y) on, which must lie inside.
Picture cut(const Picture& picture, std::int64_t x, std::int64_t y, const Size& size);

/// Each pixel the rounded mean of factor x factor old ones, channel by channel; what is left at the right and below is left
/// out. The factor is at least 1 and at most the picture's width and height.
Picture reduced(const Picture& picture, std::int64_t factor);

enum class Fit {
  crop,    // the middle, as it is
  tile,    // all whole tiles, from the top left, rows first
  shrink,  // the middle of the picture reduced by the largest whole factor that leaves enough
};

/// Pictures of that size from one; none of them is larger than the picture. Throws Error where the picture is smaller.
std::vector<Picture> fitted(Picture picture, const Size& size, Fit fit);

/// One channel: 0.299 red + 0.587 green + 0.114 blue, rounded (ITU-R BT.601).
Picture as_grey(Picture picture);
/// Three channels, the same three times where there was one.
Picture as_rgb(Picture picture);

}  // namespace megalith::media
