// SPDX-License-Identifier: Apache-2.0
// Scoring of many short pieces, each by itself: lines, messages, records.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "megalith/models/sliding_window.h"
#include "megalith/models/window_scorer.h"

namespace megalith {

/// Tells how much the bytes of a record surprise a model that has seen nothing but that record. Records of about the same
/// length are scored together. One that is longer than the model's window is read on as a Scorer reads a stream.
class RecordScorer {
 public:
  /// Model and workspace must outlive this. Throws Error where the model reads bytes in an order of its own, which pieces of
  /// any length have not.
  RecordScorer(const AnyModel& model, Workspace& workspace);

  /// The surprisals, in bits, of the bytes of all records, end to end; valid until the next call. To rounding they do not
  /// depend on which records are given together; the same call gives the same bits on any number of threads.
  std::span<const float> score(std::span<const std::string_view> records);

 private:
  /// Bytes [begin, begin + size) of a record, of which the first `context` are not scored.
  struct Window {
    std::string_view bytes;
    Index context = 0, padded = 0;
    std::size_t to = 0;  // where the losses go
  };
  void add_windows(std::string_view record, std::size_t to);
  void score_in_pieces(std::string_view record, std::size_t to);
  void score_together(std::span<const Window> windows);

  const AnyModel& model_;
  Workspace& workspace_;
  SlidingWindow slide_;
  WindowScorer windows_;
  std::unique_ptr<AnyState> carried_;  // from piece to piece of a long record that has no windows
  std::vector<Window> waiting_;
  std::vector<std::uint8_t> batch_;
  std::vector<float> losses_, bits_;
};

}  // namespace megalith
