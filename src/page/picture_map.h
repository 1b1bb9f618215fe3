// SPDX-License-Identifier: Apache-2.0
// Pictures beside their surprisal: what of them a model did not expect.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../media/picture.h"
#include "../media/sheet.h"

namespace megalith::page {

/// The colour, red, green and blue, of a surprisal: from black at 0 bits over purple and orange to a light yellow at 8,
/// which is that of a byte of which nothing is known, and above. As bright as it is surprising, in steps that look alike, on
/// any ground: the colours "magma" of Smith and van der Walt's Matplotlib (2015, CC0).
std::array<std::uint8_t, 3> heat_colour(double bits);

/// A page with the first pictures of files that hold pictures of one shape, one behind the other; beside each the mean
/// surprisal of the channels of every pixel as a picture of the same size. A byte of a picture takes about 3 bytes of the
/// page, and 6 where it is grey.
class PictureMap {
 public:
  /// Shows as many whole pictures as `max_bytes` hold, one at least. The shape has 1 channel or 3.
  PictureMap(const media::Shape& shape, std::int64_t max_bytes);

  /// Adds the next bytes of a file and the surprisal of each in bits. Files come one after the other, each from offset 0 on.
  void add(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes, std::span<const float> bits);
  /// Whether no more bytes would be shown.
  bool full() const { return left_ <= 0; }

  /// `total_bytes` is how many bytes were measured, shown or not, and `bits_per_byte` their mean surprisal.
  std::string html(std::string_view model, std::int64_t total_bytes, double bits_per_byte,
                   std::string_view overview = "") const;

 private:
  struct File {
    std::string path;
    std::vector<std::uint8_t> bytes;
    std::vector<float> bits;
  };
  std::string picture_html(const File& file, std::int64_t number) const;

  media::Shape shape_;
  std::int64_t left_;
  std::vector<File> files_;
};

}  // namespace megalith::page
