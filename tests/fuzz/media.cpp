// SPDX-License-Identifier: Apache-2.0
// The input is a file of pictures or sound.
#include <cstdint>

#include "media/fit.h"
#include "media/formats.h"
#include "media/sound.h"
#include "media/turn.h"
#include "outcome.h"

namespace megalith::fuzz {
namespace {

using media::Bytes, media::Picture, media::Sound;

bool same(const Picture& a, const Picture& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels && a.pixels == b.pixels;
}

void read_picture(Bytes file) {
  constexpr std::int64_t kMaxPixels = 1 << 20;  // larger ones are other numbers only
  Picture picture;
  if (!accepts([&] { picture = media::read_picture(file, kMaxPixels); })) return;
  require(picture.width >= 1 && picture.height >= 1 && picture.width * picture.height <= kMaxPixels, "a size is kept to");
  require(std::ssize(picture.pixels) == picture.row_bytes() * picture.height, "all pixels are there");
  require(same(media::read_ppm(media::to_ppm(picture)), picture), "a picture comes back from PPM");
  require(same(media::read_bmp(media::to_bmp(picture)), picture), "a picture comes back from BMP");
  require(media::as_grey(media::as_rgb(media::as_grey(picture))).pixels == media::as_grey(picture).pixels,
          "grey stays grey");
  const std::int64_t width = (picture.width + 1) / 2, height = (picture.height + 2) / 3;
  for (const media::Fit fit : {media::Fit::crop, media::Fit::tile, media::Fit::shrink})
    for (const Picture& part : media::fitted(picture, {width, height}, fit))
      require(std::ssize(part.pixels) == width * height * picture.channels, "a part is whole");
}

void read_sound(Bytes file) {
  Sound sound;
  if (!accepts([&] { sound = media::read_wav(file); })) return;
  const std::int64_t frame = sound.format.frame_bytes();
  require(frame > 0 && sound.format.rate > 0 && std::ssize(sound.samples) % frame == 0, "frames are whole");
  require(sound.samples.size() <= file.size(), "samples are those of the file");
  const Sound again = media::read_wav(media::to_wav(sound.format, sound.samples));
  require(again.format == sound.format && again.samples == sound.samples && again.note.empty(), "a sound comes back");
  require(!in_words(sound.format).empty(), "a sound can be described");
  const std::int64_t frames = std::ssize(sound.samples) / frame;
  Sound mono = sound;
  if (accepts([&] { mono = media::as_mono(sound); }))
    require(std::ssize(mono.samples) == frames * sound.format.kind.bytes, "one channel is left");
  if (accepts([&] { mono = media::as_mu_law(std::move(mono)); }))
    require(mono.format.frame_bytes() == mono.format.channels, "mu-law has a byte a sample");
}

}  // namespace
}  // namespace megalith::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace megalith;
  const media::Bytes file(data, size);
  const media::Format* const format = media::format_of(file);
  const bool sound = format != nullptr && format->contents == media::Contents::sound;
  if (sound && format->is_read) fuzz::read_sound(file);
  else fuzz::read_picture(file);
  const int orientation = media::exif_orientation(file);
  fuzz::require(orientation >= 1 && orientation <= 8, "an orientation is one of eight");
  return 0;
}
