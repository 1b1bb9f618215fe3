// SPDX-License-Identifier: Apache-2.0
// Generation: a prompt goes in, bytes come out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "megalith/generate/sampler.h"
#include "megalith/models/any_model.h"
#include "megalith/runtime/processors.h"

namespace megalith {

/// Generates bytes from a model, one at a time. The model reads the prompt many rows at a time, and then each byte once.
///
/// A model knows positions up to the length L that it was trained on. When a window of L bytes is full, the next one starts
/// with its last half (L / 2 rounded down to the model's units), read again: between half and all of L stays in view.
/// Windows start at the same places whatever was prompted and whatever generated, so the bytes that follow are a function of
/// all bytes before them, of the seed and of the number of the stream: not of threads, nor of the streams beside it. Streams
/// are decoded together where the model is batch-invariant (AnyModel::batch_invariant), else one after the other. A model
/// without a longest window has one window for ever.
class Generator {
 public:
  /// For `streams` independent continuations of one prompt, those numbered from `first_stream` on. The model must outlive
  /// the generator; several generators may share it. Throws Error when a setting is out of range.
  explicit Generator(const AnyModel& model, const SamplingConfig& config = {}, int threads = default_threads(),
                     Index streams = 1, Index first_stream = 0);
  ~Generator();

  /// Adds bytes, of any number, to every stream; the model reads them when the next byte is asked for. At any time.
  void prompt(std::span<const std::uint8_t> bytes);
  void prompt(std::string_view bytes);

  /// The next byte of the only stream.
  std::uint8_t next();
  /// The next byte of each stream, valid until the next call.
  std::span<const std::uint8_t> next_of_each();

  /// Bytes prompted and generated so far in each stream.
  std::int64_t position() const { return position_; }

 private:
  std::int64_t window_start(std::int64_t position) const;
  void move_window(std::int64_t start);
  void read_pending();
  void start_states();
  std::uint8_t draw(Index stream);

  const AnyModel& model_;
  SamplingConfig config_;
  Workspace workspace_;
  Index first_stream_ = 0;
  Index length_ = 0;                                // L
  Index hop_ = 0;                                   // from the start of a window to that of the next
  std::int64_t position_ = 0;                       // bytes so far
  std::int64_t start_ = 0;                          // of the current window
  Index read_ = 0;                                  // bytes of it that the model has read
  std::vector<std::vector<std::uint8_t>> windows_;  // of each stream: its bytes from start_ on
  std::vector<RecentBytes> recent_;                 // of each stream; empty without a penalty
  std::vector<std::uint8_t> pending_;               // (streams of a state, n): bytes on their way into the model
  std::vector<float> logits_;                       // (streams, 256)
  std::vector<std::uint8_t> next_;                  // (streams)
  Index together_ = 1;                              // streams of a state
  std::vector<std::unique_ptr<AnyState>> states_;
};

}  // namespace megalith
