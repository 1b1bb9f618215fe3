// SPDX-License-Identifier: Apache-2.0
// Scratch memory: a stack for each thread, whose memory is kept, so that calls after the first allocate nothing.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "megalith/core/aligned_memory.h"
#include "megalith/core/check.h"
#include "megalith/core/seq.h"
#include "megalith/runtime/parallel.h"

namespace megalith {

/// A stack of blocks that never move. Memory taken from it lives until its Frame ends.
class Arena {
 public:
  /// Allocates the first block at once: it is left to chance in which step a thread first needs scratch, and steps after the
  /// first must not allocate.
  Arena() { grow(kFirstBlock); }
  void* take(std::size_t bytes) {
    bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) grow(bytes);
    void* p = blocks_[block_].memory.get() + used_;
    used_ += bytes;
    in_use_ += bytes;
    peak_ = std::max(peak_, in_use_);
    return p;
  }
  /// Bytes allocated, in use or not.
  std::size_t capacity() const {
    std::size_t sum = 0;
    for (const Block& b : blocks_) sum += b.size;
    return sum;
  }
  /// The most bytes that were in use at once, since reset_peak().
  std::size_t peak() const { return peak_; }
  void reset_peak() { peak_ = in_use_; }

 private:
  friend class Frame;
  struct Block {
    std::unique_ptr<std::byte, detail::AlignedDelete> memory;
    std::size_t size;
  };
  static constexpr std::size_t kFirstBlock = 256 * 1024;
  static constexpr std::size_t kMaxGrowth = std::size_t{1} << 30;  // of a block, unless more is asked for

  /// Blocks double in size: what is left unused at the end of one is then small beside the whole, and pages that are never
  /// written take only addresses.
  void grow(std::size_t bytes) {
    const std::size_t size = blocks_.empty() ? bytes : std::max(bytes, std::min(2 * blocks_.back().size, kMaxGrowth));
    blocks_.push_back({detail::allocate_aligned<std::byte>(size), size});
    used_ = 0;
  }

  std::vector<Block> blocks_;
  std::size_t block_ = 0;  // the block in use
  std::size_t used_ = 0;   // bytes of it
  std::size_t in_use_ = 0, peak_ = 0;
};

/// The scratch of one call: memory taken through a Frame is given back when the Frame ends. Frames of one arena nest.
class Frame {
 public:
  explicit Frame(Arena& arena) : arena_(arena), block_(arena.block_), used_(arena.used_), in_use_(arena.in_use_) {}
  ~Frame() {
    arena_.block_ = block_;
    arena_.used_ = used_;
    arena_.in_use_ = in_use_;
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  /// n numbers, not initialised (in debug builds NaN, which shows where a write was forgotten).
  template <class S>
  S* take(Index n) {
    static_assert(std::is_trivially_destructible_v<S>);
    S* p = static_cast<S*>(arena_.take(static_cast<std::size_t>(n) * sizeof(S)));
#ifndef NDEBUG
    if constexpr (std::numeric_limits<S>::has_quiet_NaN) std::fill_n(p, n, std::numeric_limits<S>::quiet_NaN());
#endif
    return p;
  }
  template <class S>
  Seq<S> seq(Index B, Index T, Index C) {
    return {take<S>(B * T * C), B, T, C};
  }

 private:
  Arena& arena_;
  std::size_t block_, used_, in_use_;
};

/// A team of threads, and an arena for each of them. Arena 0 is also the caller's own.
class Workspace {
 public:
  /// Throws Error where threads is not from 1 to Team::kMaxThreads.
  explicit Workspace(int threads) : arenas_(count(threads)), team_(threads) {}

  Team& team() { return team_; }

  Arena& arena(int thread) { return arenas_[static_cast<std::size_t>(thread)]; }
  int threads() const { return static_cast<int>(arenas_.size()); }
  std::size_t capacity() const {
    std::size_t sum = 0;
    for (const Arena& arena : arenas_) sum += arena.capacity();
    return sum;
  }
  /// The sum of the arenas' peaks.
  std::size_t peak() const {
    std::size_t sum = 0;
    for (const Arena& arena : arenas_) sum += arena.peak();
    return sum;
  }
  void reset_peak() {
    for (Arena& arena : arenas_) arena.reset_peak();
  }

 private:
  static std::size_t count(int threads) {
    check(threads >= 1 && threads <= Team::kMaxThreads, "a workspace for ", threads,
          " threads is asked for, and must be for 1 to ", Team::kMaxThreads);
    return static_cast<std::size_t>(threads);
  }

  std::vector<Arena> arenas_;
  Team team_;
};

}  // namespace megalith
