// SPDX-License-Identifier: Apache-2.0
// What megalith eval is asked for, and where the surprisals go that it finds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "../page/picture_map.h"
#include "../page/position_bins.h"
#include "../page/surprise_map.h"
#include "data_options.h"
#include "eval_report.h"
#include "line_bits.h"
#include "megalith/io/atomic_file.h"
#include "megalith/train/corpus.h"

namespace megalith::tool {

inline constexpr std::int64_t kShownBytes = 100'000;  // a page of about 3 MB, or of 5 where they are no text

struct EvalOptions {
  std::string checkpoint;
  DataOptions data;
  std::string per_byte, html, lines;
  std::int64_t html_bytes = kShownBytes, stride = 0;
  bool strided = false, stream = false, by_position = false, compare = false, json = false;
  int threads = 0;
};

/// Files, a page, lines, and the sums that are printed at the end.
class EvalOutputs {
 public:
  /// What cannot be written is known before the work. `record` is what the model reads.
  EvalOutputs(const EvalOptions& options, const RecordConfig& record, const Corpus* corpus);

  /// Whether take() is to get the bytes beside their bits.
  bool needs_bytes() const { return lines_ || shows_more(); }

  /// Surprisals of consecutive bytes of a file that begins at `file` in the data.
  void take(const std::string& path, std::int64_t file, std::int64_t offset, std::span<const std::uint8_t> bytes,
            std::span<const float> bits);
  /// Bytes at the ends of files that have none.
  void leave_out(std::int64_t bytes) { left_out_ += bytes; }

  /// Whether anybody wants more of them: whoever reads the lines may leave.
  bool wanted() { return !lines_ || lines_->send() || losses_ || page_; }

  /// Once all was taken. Throws Error where surprisals are no finite numbers.
  EvalBits finish(const EvalOptions& options);

 private:
  bool shows_more() const {
    return page_ && std::visit([](const auto& map) { return !map.full(); }, map_);
  }

  std::unique_ptr<AtomicFile> losses_, page_;
  std::variant<page::SurpriseMap, page::PictureMap> map_;
  std::optional<LineBits> lines_;
  std::optional<page::PositionBins> positions_;
  std::map<std::int64_t, FileBits> files_;  // by where the file begins: one may be named twice
  std::int64_t left_out_ = 0;
};

}  // namespace megalith::tool
