// SPDX-License-Identifier: Apache-2.0
// A region: one call of Team::parallel_for, while its threads work on it.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>

#include "megalith/core/shape.h"

namespace megalith::detail {

/// What is to be done. The caller writes it while no other thread is inside.
class Work {
 public:
  using Call = void (*)(const void* task, Index i, int thread);

  void set(Index n, int size, Call call, const void* task) {
    call_ = call;
    task_ = task;
    parts_ = size < kMaxParts ? size : kMaxParts;
    for (int p = 0; p < parts_; ++p) {
      part_[p].next.store(n * p / parts_, std::memory_order_relaxed);
      part_[p].end = n * (p + 1) / parts_;
    }
  }
  /// Does tasks until none is left to begin.
  void take_part(int thread) {
    for (int p = 0; p < parts_; ++p) {
      Part& from = part_[(thread + p) % parts_];
      while (from.next.load(std::memory_order_relaxed) < from.end) {
        const Index i = from.next.fetch_add(1, std::memory_order_relaxed);
        if (i < from.end) call_(task_, i, thread);
      }
    }
  }

 private:
  static constexpr int kMaxParts = 64;
  struct alignas(64) Part {  // no two share a cache line
    std::atomic<Index> next{0};
    Index end = 0;
  };

  Call call_ = nullptr;
  const void* task_ = nullptr;
  int parts_ = 0;
  Part part_[kMaxParts];
};

/// Who may come in and who is inside. All in one number, so that a thread that comes and the caller that closes agree on who
/// was first: nobody is waited for but those who were.
class Gate {
 public:
  /// One value of it.
  class View {
   public:
    explicit View(std::uint64_t bits) : bits_(bits) {}
    std::uint32_t region() const { return static_cast<std::uint32_t>(bits_ >> 32); }
    bool stop() const { return size() == kStop; }
    /// Whether the region is open to this thread, which has been in region `last`.
    bool open_to(int thread, std::uint32_t last) const { return thread < size() && region() != last && !stop(); }
    bool empty() const { return (bits_ & kInside) == 0; }
    bool closed() const { return size() == 0; }

   private:
    friend class Gate;
    int size() const { return static_cast<int>((bits_ & kSize) / kOneOfSize); }
    std::uint64_t bits_;
  };
  static constexpr int kMaxSize = 0xFFFE;

  View view() const { return View(bits_.load()); }
  /// Opens the next region to the threads below `size`.
  void open(int size) {
    assert(view().empty() && size <= kMaxSize);
    bits_.store(std::uint64_t{++region_} << 32 | static_cast<std::uint64_t>(size) * kOneOfSize);
  }
  /// From now on no thread comes in.
  View close() { return View(bits_.fetch_and(~kSize)); }
  /// No region will come: threads end.
  void stop() { bits_.store(kStop * kOneOfSize); }

  /// Whether the thread is in now; false where it came too late. `seen` is what it has seen, and is brought up to date.
  bool enter(View& seen) { return bits_.compare_exchange_strong(seen.bits_, seen.bits_ + 1); }
  View leave() { return View(bits_.fetch_sub(1) - 1); }

 private:
  // From the lowest bits on: 16 for the number of threads inside, 16 for the number that the region is open to (0: closed),
  // and 32 for the number of the region.
  static constexpr std::uint64_t kInside = 0xFFFF, kOneOfSize = 0x10000, kSize = 0xFFFF0000, kStop = 0xFFFF;

  alignas(64) std::atomic<std::uint64_t> bits_{0};
  std::uint32_t region_ = 0;
};

}  // namespace megalith::detail
