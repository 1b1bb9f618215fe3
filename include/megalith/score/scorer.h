// SPDX-License-Identifier: Apache-2.0
// Scoring of streams: bytes go in as they come, and the surprisal of each comes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "megalith/models/scan.h"
#include "megalith/models/sliding_window.h"
#include "megalith/models/window_scorer.h"
#include "megalith/runtime/processors.h"

namespace megalith {

struct ScorerConfig {
  Index stride = 0;  // bytes from the start of a window to that of the next; see SlidingWindow::of_stream()
  int threads = default_threads();
};

/// Tells how much each byte of a stream surprises a model that has seen the bytes before it. The stream may be of any
/// length: the window slides as a Generator's does, so that a surprisal is -log2 of the probability with which a Generator
/// would draw that byte there. With a stride of the model's whole length, windows do not overlap, as in evaluate(). A model
/// without a longest sequence (AnyModel::max_length) has no window unless a stride is named: its State goes on for ever, in
/// the same memory.
///
/// However the stream is cut into calls of feed(), the numbers are the same to rounding (about 1e-5 bits); the same calls
/// give the same bits on any number of threads. Bytes that come many at a time are scored many at a time: feed what is
/// there.
///
/// Where the model reads records in an order of its own, bytes and surprisals are in the file's, and each call must end with
/// a whole piece of a record (Scan::piece): a row of tiles of a picture, or the whole record.
///
/// A value: a copy goes on by itself from where the original is, and save() makes bytes that load() takes elsewhere.
class Scorer {
 public:
  /// At the start of a stream. The model must outlive the scorer; several scorers may share it. Throws Error where a setting
  /// is out of range, and when the State does not fit the memory of this machine.
  explicit Scorer(const AnyModel& model, const ScorerConfig& config = {});
  Scorer(const Scorer& other);
  Scorer(Scorer&&) noexcept = default;
  Scorer& operator=(const Scorer& other);
  Scorer& operator=(Scorer&&) noexcept = default;
  ~Scorer() = default;

  /// The surprisals, in bits, of the bytes that come next, of any number; valid until the next call. Where this throws,
  /// position() tells how many of them were taken, and the stream can go on behind those; in the middle of a record with an
  /// order of its own, or without a window that could be read again, it cannot, and reset() is left.
  std::span<const float> feed(std::span<const std::uint8_t> bytes);
  std::span<const float> feed(std::string_view bytes);

  /// Bytes fed since the start of the stream.
  std::int64_t position() const { return position_; }
  /// Starts another stream.
  void reset();

  /// Where the stream stands, for a scorer of the same model and stride on a machine of the same byte order.
  std::vector<std::byte> save() const;
  /// Throws Error, and changes nothing, where the bytes are not such a scorer's.
  void load(std::span<const std::byte> saved);

 private:
  void feed_in_order(std::span<const std::uint8_t> bytes);
  std::size_t score_windows(std::span<const std::uint8_t> bytes, std::span<float> losses);
  std::size_t score_in_window(std::span<const std::uint8_t> bytes, std::span<float> losses);
  void read_window();

  const AnyModel* model_;
  SlidingWindow slide_;
  Scan scan_;
  Workspace workspace_;
  WindowScorer windows_;
  std::unique_ptr<AnyState> state_;
  std::int64_t position_ = 0;
  std::vector<std::uint8_t> window_;   // the bytes of the current window; a full one moves when the next byte comes. Empty
                                       // where it never ends
  bool current_ = true;                // whether the state has read just these
  std::vector<std::uint8_t> batch_;    // (windows, length): those that are scored at once
  std::vector<std::uint8_t> ordered_;  // what is fed, in the model's order
  std::vector<float> bits_, in_file_;
};

}  // namespace megalith
