// SPDX-License-Identifier: Apache-2.0
// Counts what our code takes from the heap. Include it in one source file of a test: it replaces operator new, and malloc
// for calls from the test's own executable (the library and Eigen are in it; OpenMP's and the C library's own calls are
// not).
#pragma once

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "support/sanitized.h"

namespace megalith::tests {

/// Whether allocations can be counted: not under the address sanitizer, which replaces the heap itself.
inline constexpr bool kHeapProbe = !kSanitized;

inline std::atomic<bool> heap_probe_on{false};
inline std::atomic<long> heap_probe_count{0};

/// Allocations, on all threads, while f() runs.
template <class F>
long allocations_in(F&& f) {
  heap_probe_count = 0;
  heap_probe_on = true;
  f();
  heap_probe_on = false;
  return heap_probe_count;
}

/// Bytes of the heap in use, by anybody.
inline std::size_t live_heap() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace megalith::tests

#if !MEGALITH_SANITIZED
extern "C" {
extern char __executable_start, etext;  // set by the linker: the code of the executable
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace megalith::tests {
inline void count_allocation() {
  if (heap_probe_on.load(std::memory_order_relaxed)) heap_probe_count.fetch_add(1, std::memory_order_relaxed);
}
inline void count_allocation_from(const void* caller) {
  if (caller >= &__executable_start && caller < &etext) count_allocation();
}
inline void* counted_new(std::size_t size, std::size_t alignment) {
  count_allocation();
  void* const p = alignment > alignof(std::max_align_t) ? __libc_memalign(alignment, size) : __libc_malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
}  // namespace megalith::tests

extern "C" {
void* malloc(std::size_t size) noexcept {
  megalith::tests::count_allocation_from(__builtin_return_address(0));
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) noexcept {
  megalith::tests::count_allocation_from(__builtin_return_address(0));
  return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t size) noexcept {
  megalith::tests::count_allocation_from(__builtin_return_address(0));
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  megalith::tests::count_allocation_from(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t size) noexcept {
  megalith::tests::count_allocation_from(__builtin_return_address(0));
  *p = __libc_memalign(alignment, size);
  return *p == nullptr ? ENOMEM : 0;
}
}

// GCC 12 sees into these when it inlines them, and takes free() for the wrong partner of new.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t size) { return megalith::tests::counted_new(size, 0); }
void* operator new[](std::size_t size) { return megalith::tests::counted_new(size, 0); }
void* operator new(std::size_t size, std::align_val_t a) {
  return megalith::tests::counted_new(size, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t size, std::align_val_t a) {
  return megalith::tests::counted_new(size, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif
