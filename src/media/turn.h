// SPDX-License-Identifier: Apache-2.0
// How cameras say which side of a picture is up: the tag Orientation of EXIF 2.3, section 4.6.4.
#pragma once

#include "picture.h"

namespace megalith::media {

/// The orientation, 1 to 8, that EXIF data tell, from their byte order ("II" or "MM") on; 1, which is upright, where they
/// tell none or are damaged.
int exif_orientation(Bytes exif) noexcept;

/// The picture as it is meant to be seen.
Picture turned(Picture picture, int orientation);

}  // namespace megalith::media
