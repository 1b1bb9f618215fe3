// SPDX-License-Identifier: Apache-2.0
// What a model writes while it is trained: samples.jsonl in the folder of a run.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "megalith/models/any_model.h"
#include "shown_as.h"

namespace megalith::tool {

inline constexpr double kSampleTemperature = 0.8;  // a little below 1: samples are to be read

struct SampleOptions {
  static constexpr std::int64_t kMaxBytes = 1 << 20, kTextBytes = 400, kSeconds = 2;

  std::optional<std::int64_t> every{};  // steps; 0: no samples; nothing: one at the end, for the report alone
  std::int64_t bytes = kTextBytes;
  std::string prompt{};         // UTF-8
  std::optional<ShownAs> as{};  // nothing: pictures where the model reads some, else text
};

/// What was given on the command line.
struct GivenSampleOptions {
  std::optional<std::int64_t> every{}, bytes{};
  std::optional<std::string> prompt{};
  std::optional<ShownAs> as{};

  /// With defaults for what was not: bytes are those of a picture, or of some seconds of sound, where that is to be shown.
  SampleOptions with_defaults() const;
};

struct TextSample {
  std::int64_t step = 0;
  std::string prompt, bytes;  // the bytes that came after the prompt
};

/// Bytes of a sample of so many after a prompt: rounded up to the end of a record of the model, as a picture is to be seen
/// whole.
std::int64_t sample_bytes(const AnyModel& model, std::int64_t prompt, std::int64_t bytes);
/// The sample_bytes() that a model writes after a prompt, in the order of files; fewer where stop(), which is asked before
/// each, holds. Throws Error where the model's records do not let the prompt end where it does.
std::string written(const AnyModel& model, const std::string& prompt, std::int64_t bytes, std::uint64_t seed, int threads,
                    const std::function<bool()>& stop);

/// The samples of a run. The file's first line holds the options, each other a sample: its step, its prompt, its bytes as
/// text (what is not text as U+FFFD) and in hexadecimal. All samples of a run draw the same random numbers, so they differ
/// by what was learned between them.
class SampleLog {
 public:
  /// Options that were not given are those of the file, where a run is resumed.
  SampleLog(const std::string& run_dir, GivenSampleOptions given, std::uint64_t seed, int threads);

  /// Writes the options down where a run begins, if it was said how often or as what samples are to be taken, and the file
  /// is not there: a run that is stopped before its first sample goes on with them. Throws Error where it cannot be written.
  void begin();
  /// Takes up the file where a run goes on after a step; drops what came later, or was cut off. Throws Error, naming the
  /// line, where one does not hold what it should.
  void resume(std::int64_t step);
  /// Whether one is to be taken after this step; `last` that of the run.
  bool due(std::int64_t step, bool last) const;
  /// Takes one, and writes it down; nullptr where stop() held meanwhile, and nothing is written. The folder must exist.
  /// Throws Error where it cannot be written.
  const TextSample* take(const AnyModel& model, std::int64_t step, const std::function<bool()>& stop);

  /// Whether it was said how often samples are to be taken, be it never: on the command line or, of a resumed run, by the
  /// file.
  bool asked() const { return given_.every.has_value(); }
  /// What was given, what the file says, or the default.
  SampleOptions options() const { return given_.with_defaults(); }
  const std::vector<TextSample>& all() const { return all_; }

 private:
  std::string path_;
  GivenSampleOptions given_;
  std::uint64_t seed_;
  int threads_;
  std::vector<TextSample> all_;
  void append(const TextSample& sample);
};

}  // namespace megalith::tool
