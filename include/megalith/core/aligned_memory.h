// SPDX-License-Identifier: Apache-2.0
// Memory for numbers: aligned by an allocator of our own, because Eigen's alignment depends on compiler flags and a library
// and its user may be compiled with different ones.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>

#include <cstdint>
#endif

namespace megalith {

inline constexpr std::size_t kAlignment = 64;  // bytes: a cache line, and the widest vector register

namespace detail {

struct AlignedDelete {
  void operator()(void* p) const { ::operator delete(p, std::align_val_t(kAlignment)); }
};

/// Asks for pages of 2 MB in the whole ones of these bytes: products walk through more pages of 4 KB than a processor
/// remembers the places of. Where the system has no such pages, nothing happens.
inline void advise_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef __linux__
  constexpr std::uintptr_t kLargePage = std::uintptr_t{1} << 21;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (address + kLargePage - 1) & ~(kLargePage - 1), end = (address + bytes) & ~(kLargePage - 1);
  if (begin < end) static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
#endif
}

/// `bytes` bytes, not initialised. Throws std::bad_alloc.
template <class S>
std::unique_ptr<S, AlignedDelete> allocate_aligned(std::size_t bytes) {
  void* const memory = ::operator new(bytes, std::align_val_t(kAlignment));
  advise_large_pages(memory, bytes);
  return std::unique_ptr<S, AlignedDelete>(static_cast<S*>(memory));
}

}  // namespace detail
}  // namespace megalith
