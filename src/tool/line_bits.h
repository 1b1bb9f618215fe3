// SPDX-License-Identifier: Apache-2.0
// The surprisal of each line.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "line_output.h"
#include "megalith/score/record_scorer.h"

namespace megalith::tool {

/// Takes the surprisals, in bits, of consecutive bytes of a file, the first of which stands at `offset`.
using SurprisalSink = std::function<void(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes,
                                         std::span<const float> bits)>;

/// Prints the surprisals of lines to standard output, once their ends have come and they are sent: bits, bits per byte,
/// place and text with tabs between, or an object of JSON. The end of a line is one of its bytes.
class LineBits {
 public:
  explicit LineBits(bool json) : json_(json) {}

  /// Files one after another; one begins at offset 0.
  void add(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes, std::span<const float> bits);
  /// The last line, where nothing ends it.
  void finish();
  /// Sends what was added to whoever reads; false when nobody does any more.
  bool send() { return output_.send(); }

 private:
  void print();

  bool json_;
  LineOutput output_;
  std::string path_, text_;
  std::int64_t line_ = 0, offset_ = 0, bytes_ = 0;
  double bits_ = 0;
};

/// Bytes of a line that are shown, so that one without an end takes no memory.
inline constexpr std::size_t kShownOfLine = 4096;

/// The lines at the start of `bytes` that are whole, their ends included: all of them at the end of the bytes. What has no
/// end within 1 MiB counts as a line.
std::vector<std::string_view> whole_lines(std::string_view bytes, bool ended);

/// Scores lines by themselves, which come in pieces cut anywhere.
class LoneLines {
 public:
  LoneLines(const AnyModel& model, Workspace& workspace, SurprisalSink sink)
      : scorer_(model, workspace), sink_(std::move(sink)) {}

  /// The next bytes of a file; what ends no line waits for more, up to 1 MiB.
  void add(const std::string& path, std::string_view bytes);
  /// The end of that file.
  void end(const std::string& path);

 private:
  void score(const std::string& path, bool ended);

  RecordScorer scorer_;
  SurprisalSink sink_;
  std::string waiting_;
  std::int64_t offset_ = 0;  // of waiting_ in the file
};

}  // namespace megalith::tool
