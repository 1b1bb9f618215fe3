// SPDX-License-Identifier: Apache-2.0
// Generation: a prompt goes in, bytes come out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "megalith/generate/sampler.h"
#include "megalith/models/sliding_window.h"
#include "megalith/runtime/processors.h"

namespace megalith {

/// A byte that may come next, and how likely it is.
struct NextByte {
  std::uint8_t byte = 0;
  double probability = 0;
};

/// Changes the logits, 256 of them, of the next byte of a stream, by the stream's number; -infinity forbids a byte.
using LogitHook = std::function<void(Index stream, std::span<float> logits)>;

/// Generates bytes from a model, one at a time. The model reads the prompt many rows at a time, and then each byte once.
///
/// A model knows positions up to the length L that it was trained on. When a window of L bytes is full, the next one starts
/// with its last half (L / 2 rounded down to the model's units and records), read again: between half and all of L stays in
/// view; of a model that was trained on the ends of windows more, and nothing where a window is a record or a part of one
/// (SlidingWindow::of). Windows start at the same places whatever was prompted and whatever generated, so the bytes that
/// follow are a function of all bytes before them, of the seed and of the number of the stream: not of threads, nor of the
/// streams beside it. Streams at the same position are decoded together where the model is batch-invariant
/// (AnyModel::batch_invariant), others one after the other.
///
/// A model without a longest sequence (AnyModel::max_length) has no window: its State goes on for ever, and a byte takes the
/// same time and memory however many came before. Prompts are then read in pieces, cut at the same places however they were
/// given, and those that are whole are read at once.
///
/// Bytes, prompts too, are in the model's order where that is not the file's (AnyModel::record): FileOrder (models/scan.h)
/// puts what is generated into the file's, and Scan::to_model() takes a prompt out of it.
///
/// A value: a copy goes on by itself from where the original is, with the same bytes as the original.
class Generator {
 public:
  /// For `streams` independent continuations, those numbered from `first_stream` on. The model must outlive the generator;
  /// several generators may share it. Throws Error when a setting is out of range.
  explicit Generator(const AnyModel& model, const SamplingConfig& config = {}, int threads = default_threads(),
                     Index streams = 1, Index first_stream = 0);
  Generator(const Generator& other);
  Generator(Generator&&) noexcept = default;
  Generator& operator=(const Generator& other);
  Generator& operator=(Generator&&) noexcept = default;
  ~Generator() = default;

  /// Adds bytes, of any number, to every stream; the model reads them when the next byte is asked for, or earlier where it
  /// has no longest sequence; where that throws, reset() is left. At any time.
  void prompt(std::span<const std::uint8_t> bytes);
  void prompt(std::string_view bytes);
  /// Adds to each stream bytes of its own. Streams whose prompts differ in length are no longer decoded together.
  void prompt_each(std::span<const std::string_view> prompts);

  /// The next byte of the only stream.
  std::uint8_t next();
  /// The next byte of each stream, valid until the next call. Where this throws, nothing has changed.
  std::span<const std::uint8_t> next_of_each();

  /// Logits (streams, 256) of the next byte of each stream as the model gives them, before hook, penalty and temperature;
  /// valid until the next call. Asking changes no byte that follows.
  std::span<const float> logits();
  /// The `count` bytes, 1 to 256, that the model thinks likeliest to come next in one of the streams, counted from 0; the
  /// likeliest first.
  std::vector<NextByte> likeliest(Index count, Index stream = 0);
  /// Called for each stream before each byte that is drawn, before penalty and temperature; empty for none. Copies share it.
  void set_logit_hook(LogitHook hook) { hook_ = std::move(hook); }

  /// Forgets all bytes. What follows is what a new generator with these settings gives.
  void reset();

  Index streams() const { return std::ssize(windows_); }
  /// Bytes prompted and generated so far in a stream, counted from 0.
  std::int64_t position(Index stream = 0) const { return positions_[static_cast<std::size_t>(stream)]; }

 private:
  /// Streams that one State holds: they are at one position.
  struct Group {
    std::vector<std::size_t> streams;
    std::int64_t start = 0;  // of the current window
    Index read = 0;          // bytes of windows_ that the model has read
    bool asked = false;      // whether logits_ is up to date
    std::unique_ptr<AnyState> state;
  };
  Group make_group(std::vector<std::size_t> streams) const;
  void move_window(Group& group, std::int64_t start);
  void read_pending(Group& group);
  template <class BytesOf>
  void add_to_each(Group& group, Index n, const BytesOf& part);
  void add(std::size_t stream, std::int64_t start, std::span<const std::uint8_t> bytes);
  void split_by_length(std::span<const std::string_view> prompts);
  std::uint8_t draw(std::size_t stream);

  const AnyModel* model_;
  SamplingConfig config_;
  Workspace workspace_;
  LogitHook hook_;
  Index first_stream_ = 0;
  SlidingWindow slide_;
  Index piece_;                                     // bytes that are read at once where there is no window
  std::vector<std::int64_t> positions_;             // of each stream: bytes so far
  std::vector<std::vector<std::uint8_t>> windows_;  // of each stream: its bytes from the start of its group's window on;
                                                    // where there is none, those that wait to be read
  std::vector<RecentBytes> recent_;                 // of each stream; empty without a penalty
  std::vector<Group> groups_;
  std::vector<std::uint8_t> pending_;    // (streams of a group, n): bytes on their way into the model
  std::vector<float> logits_, to_draw_;  // (streams, 256); (streams of a group, 256), or those of the byte that is drawn
  std::vector<std::uint8_t> next_;       // (streams)
};

}  // namespace megalith
