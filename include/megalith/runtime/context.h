// SPDX-License-Identifier: Apache-2.0
// What a call may use but does not own.
#pragma once

#include <algorithm>
#include <cassert>

#include "megalith/core/precision.h"
#include "megalith/core/random.h"
#include "megalith/runtime/parallel.h"
#include "megalith/runtime/workspace.h"

namespace megalith {

/// infer leaves dropout out; train draws it.
enum class Mode { infer, train };

/// Threads, scratch and random numbers of one call. A light value: pass it by const reference, derive children from it.
/// One Workspace serves one call at a time; a const model may be used by several threads, each with its own.
struct Context {
  Workspace* workspace = nullptr;
  Mode mode = Mode::infer;
  Precision precision = Precision::fp32;
  // Products give a row the same bits whatever rows stand beside it, where batch_invariant() holds for a model.
  // Decoding asks for it; training does without, which is faster where the processor has AMX.
  bool batch_invariant = false;
  RandomKey key{};  // of (seed, step, site): a dropout mask is a function of it, the absolute row and the channel
  // Absolute number of the first row (b * T + t) of the activations passed. Rows count on from it, so a run in chunks of a
  // batch of several sequences draws other dropout masks than a run in one piece; with one sequence they are the same.
  Index first_row = 0;

  Context() = default;
  explicit Context(Workspace& w) : workspace(&w) {}

  int threads() const { return workspace->threads(); }
  /// The caller's own arena.
  Arena& scratch() const { return workspace->arena(0); }
  /// f(i, arena) for each i in [0, n), the arena being that of the thread that runs it. See megalith::parallel_for.
  template <class F>
  void parallel_for(Index n, F&& f) const {
    megalith::parallel_for(threads(), n, [&](Index i, int thread) { f(i, workspace->arena(thread)); });
  }
  /// f(begin, end, arena) over [0, n) in pieces of `piece`.
  template <class F>
  void parallel_ranges(Index n, Index piece, F&& f) const {
    parallel_for((n + piece - 1) / piece, [&](Index i, Arena& arena) {
      const Index begin = i * piece;
      f(begin, begin + piece < n ? begin + piece : n, arena);
    });
  }
  /// f(begin, end, arena) over `rows` rows of so many channels, in tasks that suit a little work on each number. They depend
  /// on threads(): each row is to be treated by itself, and sums over rows are for parallel_ranges.
  template <class F>
  void parallel_rows(Index rows, Index channels, F&& f) const {
    // Of a task: fewer are done before another thread has begun, more would keep the others waiting at the end.
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
  /// For a tile or micro-batch that starts `rows` rows further on.
  Context after_rows(Index rows) const {
    Context c = *this;
    c.first_row = first_row + rows;
    return c;
  }
};

}  // namespace megalith
