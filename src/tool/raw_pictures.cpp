// SPDX-License-Identifier: Apache-2.0
#include "raw_pictures.h"

#include <algorithm>
#include <span>
#include <utility>

#include "../page/numbers.h"
#include "megalith/core/check.h"
#include "megalith/models/zoo.h"
#include "megalith/runtime/machine_memory.h"
#include "shown_as.h"

namespace megalith::tool {
namespace {

using media::Picture, page::counted, page::grouped;

/// Pixels that there is memory for: three bytes each, twice over while a picture is turned, and what its decoder keeps.
std::int64_t pixels_in_memory() {
  return static_cast<std::int64_t>(std::min(static_cast<double>(media::kMaxPixels), free_memory() / 16));
}

const char* in_words(int channels) { return channels == 1 ? "grey" : "in colour"; }

}  // namespace

std::optional<int> tile_side(const media::Size& size) {
  std::optional<int> side;
  for (const int p : {2, 4, 8}) {
    if (size.width % p != 0 || size.height % p != 0) break;
    side = p;
    if (size.width / p * (size.height / p) <= 1024) break;
  }
  return side;
}

RawPictures::RawPictures(const RawPictureOptions& options, AtomicFile& out)
    : options_(options), out_(out), max_pixels_(pixels_in_memory()) {}

void RawPictures::Seen::add(const std::string& path) {
  if (files++ == 0) first = path;
}

std::string RawPictures::Seen::describe(const std::string& one, const std::string& several) const {
  return files == 1 ? first + " " + one : text(first, " and ", grouped(files - 1), " more ", several);
}

void RawPictures::add(const std::string& path, media::Bytes file) {
  Picture picture = media::read_picture(file, max_pixels_);
  if (picture.had_alpha) alpha_.add(path);
  if (picture.had_16_bits) wide_.add(path);
  if (options_.grey) picture = media::as_grey(std::move(picture));
  if (options_.rgb) picture = media::as_rgb(std::move(picture));
  if (!options_.size) {
    check_like_first(path, picture);
    return write(picture);
  }
  for (const Picture& part : media::fitted(std::move(picture), *options_.size, options_.fit)) {
    check_like_first(path, part);
    write(part);
  }
}

void RawPictures::check_like_first(const std::string& path, const Picture& picture) {
  if (count_ == 0) {
    first_ = path;
    shape_ = {.width = picture.width, .height = picture.height, .channels = picture.channels};
  }
  check(picture.width == shape_.width && picture.height == shape_.height, "has ", picture.width, " x ", picture.height,
        " pixels, and ", first_, " ", shape_.width, " x ", shape_.height,
        ": give --size WxH, and all have one size, or convert those that differ by themselves");
  check(picture.channels == shape_.channels, "is ", in_words(picture.channels), ", and ", first_, " ",
        in_words(shape_.channels), ": give --grey or --rgb, and all are alike");
}

void RawPictures::write(const Picture& picture) {
  out_.write(std::as_bytes(std::span(picture.pixels)));
  ++count_;
}

std::vector<std::string> RawPictures::notes() const {
  std::vector<std::string> all;
  if (alpha_.files > 0)
    all.push_back(alpha_.describe("tells how transparent its pixels are", "tell how transparent their pixels are") +
                  ": that is left out, and the colours stay as they are");
  if (wide_.files > 0)
    all.push_back(wide_.describe("has 16 bits a channel", "have 16 bits a channel") + ": the high bytes are taken");
  constexpr std::int64_t kLong = 256 * 256 * 3;
  if (shape_.row_bytes() * shape_.height > kLong)
    all.push_back(text("each picture has ", grouped(shape_.row_bytes() * shape_.height),
                       " bytes, which is long for a window on CPUs: --size 64x64 makes them smaller"));
  return all;
}

std::string RawPictures::as() const { return to_string(media::Shape{shape_.width, shape_.height, shape_.channels}); }

std::string RawPictures::summary() const {
  return text(counted(count_, "picture"), " of ", shape_.width, " x ", shape_.height, " x ", shape_.channels);
}

std::string RawPictures::options() const {
  for (const char* const name : {"megabyte-image32", "megabyte-image64"}) {
    const ScanConfig& scan = preset(name).config.record.scan;
    if (scan.width == shape_.width && scan.height == shape_.height && scan.channels == shape_.channels)
      return text("--model ", name);
  }
  const std::int64_t bytes = shape_.row_bytes() * shape_.height;
  const std::string record = text("--record ", bytes, " --length ", bytes);
  const std::optional<int> side = tile_side({shape_.width, shape_.height});
  return side ? text(record, " --scan patch:", as(), ":", *side) : text(record, " --sample-as ", as());
}

}  // namespace megalith::tool
