// SPDX-License-Identifier: Apache-2.0
// Formats of files, told by their first bytes.
#pragma once

#include <string_view>

#include "picture.h"

namespace megalith::media {

enum class Contents { picture, sound, other };

struct Format {
  std::string_view name;
  Contents contents;
  bool is_read;                                                    // `megalith raw` makes bytes of it
  bool is_compressed;                                              // its own bytes hold nothing to learn
  std::string_view command;                                        // that makes something else of it; empty where it is read
  Picture (*read)(Bytes file, std::int64_t max_pixels) = nullptr;  // of pictures that are read
};

/// The bytes from the start of a file that are enough for format_of().
inline constexpr std::size_t kFormatBytes = 18;

/// The format of a file that begins so, or null where it is none that is known here.
const Format* format_of(Bytes start);

/// Reads a picture of any format that is read. Throws Error where it is none, as the readers do.
Picture read_picture(Bytes file, std::int64_t max_pixels = kMaxPixels);

}  // namespace megalith::media
