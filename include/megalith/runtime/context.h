// SPDX-License-Identifier: Apache-2.0
// What a call may use but does not own.
#pragma once

#include <algorithm>
#include <cassert>

#include "megalith/core/precision.h"
#include "megalith/core/random.h"
#include "megalith/runtime/workspace.h"

namespace megalith {

/// infer leaves dropout out; train draws it.
enum class Mode { infer, train };

/// A row by the sequence that it belongs to and its position in that.
struct RowNumber {
  Index sequence = 0, position = 0;

  bool operator==(const RowNumber&) const = default;
};

/// Threads, scratch and random numbers of one call. A light value: pass it by const reference, derive children from it.
/// One Workspace serves one call at a time; a const model may be used by several threads, each with its own.
struct Context {
  Workspace* workspace = nullptr;
  Mode mode = Mode::infer;
  Precision precision = Precision::fp32;
  // A row of a product has the same bits whatever other rows there are, where AnyModel::batch_invariant() holds. Decoding
  // asks for it; training does not, which is faster where the processor has AMX.
  bool batch_invariant = false;
  RandomKey key{};  // of (seed, step, site): a dropout mask is a function of it, the sequence, the position and the channel
  // Where the first row stands: later micro-batches begin at a later sequence, later chunks at a later position.
  Index first_sequence = 0, first_position = 0;
  // A tile of a larger call begins `offset` rows into its sequences of `sequence_rows` rows. 0: the activations are whole.
  Index offset = 0, sequence_rows = 0;

  Context() = default;
  explicit Context(Workspace& w) : workspace(&w) {}

  int threads() const { return workspace->threads(); }
  /// The caller's own arena.
  Arena& scratch() const { return workspace->arena(0); }
  /// f(i, arena) for each i in [0, n), the arena being that of the thread that runs it. See Team::parallel_for.
  template <class F>
  void parallel_for(Index n, F&& f) const {
    workspace->team().parallel_for(n, [&](Index i, int thread) { f(i, workspace->arena(thread)); });
  }
  /// f(begin, end, arena) over [0, n) in pieces of `piece`.
  template <class F>
  void parallel_ranges(Index n, Index piece, F&& f) const {
    parallel_for((n + piece - 1) / piece, [&](Index i, Arena& arena) {
      const Index begin = i * piece;
      f(begin, begin + piece < n ? begin + piece : n, arena);
    });
  }
  /// f(begin, end, arena) over `rows` rows of `channels` numbers, in tasks that suit a little work on each number. They
  /// depend on threads(): each row is to be treated by itself, and sums over rows are for parallel_ranges.
  template <class F>
  void parallel_rows(Index rows, Index channels, F&& f) const {
    // Numbers per task: below kMin, waking a thread costs more than the work; above kMax, the last task leaves the others
    // idle.
    constexpr Index kMin = 4096, kMax = 32768;
    assert(channels > 0);
    const Index rounds = std::max<Index>(1, (rows * channels + kMax * threads() - 1) / (kMax * threads()));
    const Index tasks = rounds * threads();
    parallel_ranges(rows, std::max({Index{1}, kMin / channels, (rows + tasks - 1) / tasks}), f);
  }
  /// For child number i of a composite: the same context with a random key of its own.
  Context site(std::uint64_t i) const {
    Context c = *this;
    c.key = key.child(i);
    return c;
  }
  /// For decoding.
  Context as_batch_invariant() const {
    Context c = *this;
    c.batch_invariant = true;
    return c;
  }
  /// For the sequences of a batch from `sequence` on.
  Context from_sequence(Index sequence) const {
    Context c = *this;
    c.first_sequence += sequence;
    return c;
  }
  /// For the positions of the same sequences from `position` on.
  Context from_position(Index position) const {
    Context c = *this;
    c.first_position += position;
    return c;
  }
  /// For a tile that begins at row `first` of activations (B,T,C), however the tile groups its rows into sequences.
  Context tile(Index first, Index T) const {
    Context c = *this;
    c.offset += first;
    if (c.sequence_rows == 0) c.sequence_rows = T;
    return c;
  }
  /// For the same rows taken `n` at a time, as patches.
  Context every(Index n) const {
    Context c = *this;
    c.first_position /= n;
    c.offset /= n;
    c.sequence_rows /= n;
    return c;
  }
  /// Which row of the whole computation row i of activations (B,T,C) is, however it was cut into micro-batches, chunks and
  /// tiles.
  RowNumber row_number(Index i, Index T) const {
    const Index length = sequence_rows > 0 ? sequence_rows : T;
    return {first_sequence + (offset + i) / length, first_position + (offset + i) % length};
  }
};

}  // namespace megalith
