// SPDX-License-Identifier: Apache-2.0
#include "raw_sounds.h"

#include <bit>
#include <span>
#include <utility>

#include "../page/numbers.h"
#include "megalith/core/check.h"
#include "shown_as.h"

namespace megalith::tool {

using media::SoundFormat, page::counted, page::grouped, page::rounded;

void RawSounds::add(const std::string& path, media::Bytes file) {
  media::Sound sound = media::read_wav(file);
  if (!sound.note.empty() && with_note_++ == 0) note_ = path + " " + sound.note;
  if (options_.mono) sound = media::as_mono(std::move(sound));
  if (options_.mu_law) sound = media::as_mu_law(std::move(sound));
  check_like_first(path, sound.format);
  out_.write(std::as_bytes(std::span(sound.samples)));
  ++count_;
  bytes_ += std::ssize(sound.samples);
}

void RawSounds::check_like_first(const std::string& path, const SoundFormat& format) {
  if (count_ == 0) {
    first_ = path;
    format_ = format;
  }
  check(format.rate == format_.rate, "has ", format.rate, " frames a second, and ", first_, " ", format_.rate,
        ": convert those that differ: sox IN.wav -r ", format_.rate, " OUT.wav");
  check(format.channels == format_.channels, "has ", counted(format.channels, "channel"), ", and ", first_, " ",
        format_.channels, ": give --mono, and all have one");
  check(format.kind == format_.kind, "has samples of the kind ", format.kind.name, ", and ", first_, " ", format_.kind.name,
        ": convert those that differ: sox IN.wav -e signed-integer -b 16 OUT.wav; with --mu-law, s16 and mulaw become one");
}

std::vector<std::string> RawSounds::notes() const {
  if (with_note_ == 0) return {};
  return {with_note_ == 1 ? note_ : text(note_, "; ", grouped(with_note_ - 1), " more do not end as they should")};
}

std::string RawSounds::as() const { return to_string(format_); }

std::string RawSounds::summary() const {
  const double seconds = static_cast<double>(bytes_) / format_.frame_bytes() / static_cast<double>(format_.rate);
  return text(counted(count_, "sound"), " of ", rounded(seconds, 1), " seconds in all, ", in_words(format_), ", frames of ",
              counted(format_.frame_bytes(), "byte"));
}

std::string RawSounds::options() const {
  if (format_ == media::SoundFormat{media::kMuLaw, 8000, 1}) return text("--model megabyte-audio --sample-as ", as());
  const int frame = format_.frame_bytes();
  // The windows of megabyte-tiny, the model where none is named, have 256 bytes: a power of two goes with them.
  const bool suits = std::has_single_bit(static_cast<unsigned>(frame));
  return text("--record ", frame, suits ? "" : text(" --length ", 256 * frame), " --sample-as ", as());
}

}  // namespace megalith::tool
