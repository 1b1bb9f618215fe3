// SPDX-License-Identifier: Apache-2.0
// Losses of windows, many at once, of which the first bytes are context.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith {

/// Windows of `length` bytes that are scored at once: enough for full products.
inline Index windows_at_once(Index length) {
  constexpr Index kBytes = 8192;
  return std::max<Index>(1, kBytes / length);
}

/// Bytes of a sequence without an end that are read at once: whole units, and enough for full products.
inline Index stream_piece(const AnyModel& model) {
  constexpr Index kBytes = 8192;
  return std::max<Index>(1, kBytes / model.unit()) * model.unit();
}

/// Reads the context of windows and scores what comes after it, which is cheaper than scoring both.
class WindowScorer {
 public:
  /// The model must outlive this.
  explicit WindowScorer(const AnyModel& model) : model_(&model) {}

  /// How many windows of `length` bytes to score at once: windows_at_once(length), and fewer where the State that they need
  /// with a context would take more than 256 MiB.
  Index at_once(Index length, Index context) const;

  /// The losses (B, T - context), in nats, of the bytes after the first `context` of each of the windows (B, T). Context and
  /// T are multiples of the model's units.
  void score(const Context& ctx, Bytes windows, Index context, std::span<float> losses);

 private:
  const AnyModel* model_;
  std::unique_ptr<AnyState> state_;  // of the windows of the last call that had a context
  Index room_ = 0;                   // bytes that each of its sequences has room for
  std::vector<std::uint8_t> context_, scored_;
};

}  // namespace megalith
