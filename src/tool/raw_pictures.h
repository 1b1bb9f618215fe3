// SPDX-License-Identifier: Apache-2.0
// Pictures of one size, one behind the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../media/fit.h"
#include "../media/formats.h"
#include "megalith/io/atomic_file.h"

namespace megalith::tool {

struct RawPictureOptions {
  std::optional<media::Size> size{};  // all get it; none: all have one
  media::Fit fit = media::Fit::shrink;
  bool grey = false, rgb = false;
};

class RawPictures {
 public:
  RawPictures(const RawPictureOptions& options, AtomicFile& out);

  /// Writes the pixels of a file. Throws Error where it cannot be read, and where its picture is not like those before.
  void add(const std::string& path, media::Bytes file);

  /// What was left out of pictures, a sentence for each kind.
  std::vector<std::string> notes() const;
  /// How `megalith show --as` calls them.
  std::string as() const;
  /// "1,145 pictures of 64 x 64 x 3".
  std::string summary() const;
  /// The options of `megalith train` that suit them.
  std::string options() const;

 private:
  struct Seen {
    std::int64_t files = 0;
    std::string first{};
    void add(const std::string& path);
    std::string describe(const std::string& one, const std::string& several) const;
  };
  void check_like_first(const std::string& path, const media::Picture& picture);
  void write(const media::Picture& picture);

  RawPictureOptions options_;
  AtomicFile& out_;
  std::int64_t max_pixels_, count_ = 0;
  std::string first_{};
  media::Picture shape_{};  // that of the first, without its pixels
  Seen alpha_{}, wide_{};
};

/// The side of square tiles in which pictures of this size are best read, or nothing where no such tile divides them: the
/// smallest that leaves at most 1,024 tiles, as MEGABYTE's for 64 and 256 pixels (2 and 8), else 8 or less.
std::optional<int> tile_side(const media::Size& size);

}  // namespace megalith::tool
