// SPDX-License-Identifier: Apache-2.0
// Sounds of one kind, one behind the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../media/sound.h"
#include "megalith/io/atomic_file.h"

namespace megalith::tool {

struct RawSoundOptions {
  bool mono = false, mu_law = false;
};

class RawSounds {
 public:
  RawSounds(const RawSoundOptions& options, AtomicFile& out) : options_(options), out_(out) {}

  /// Writes the samples of a file. Throws Error where it cannot be read, and where they are not like those before.
  void add(const std::string& path, media::Bytes file);

  /// What was wrong with files and did no harm, in a sentence.
  std::vector<std::string> notes() const;
  /// How `megalith show --as` calls them.
  std::string as() const;
  /// "8 sounds of 211.0 seconds in all, s16 at 16000 Hz, 1 channel, frames of 2 bytes".
  std::string summary() const;
  /// The options of `megalith train` that suit them.
  std::string options() const;

 private:
  void check_like_first(const std::string& path, const media::SoundFormat& format);

  RawSoundOptions options_;
  AtomicFile& out_;
  std::int64_t count_ = 0, bytes_ = 0, with_note_ = 0;
  std::string first_{}, note_{};
  media::SoundFormat format_{};
};

}  // namespace megalith::tool
