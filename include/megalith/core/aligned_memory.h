// SPDX-License-Identifier: Apache-2.0
// Memory for numbers: aligned by an allocator of our own, because Eigen's alignment depends on compiler flags and a library
// and its user may be compiled with different ones.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace megalith {

inline constexpr std::size_t kAlignment = 64;  // bytes: a cache line, and the widest vector register

namespace detail {

struct AlignedDelete {
  void operator()(void* p) const { ::operator delete(p, std::align_val_t(kAlignment)); }
};

/// Asks for pages of 2 MB in the whole ones of these bytes: products walk through more pages of 4 KB than a processor
/// remembers the places of. Where the system has no such pages, nothing happens.
void advise_large_pages(void* memory, std::size_t bytes);

/// `bytes` bytes, not initialised. Throws std::bad_alloc.
template <class S>
std::unique_ptr<S, AlignedDelete> allocate_aligned(std::size_t bytes) {
  void* const memory = ::operator new(bytes, std::align_val_t(kAlignment));
  advise_large_pages(memory, bytes);
  return std::unique_ptr<S, AlignedDelete>(static_cast<S*>(memory));
}

}  // namespace detail
}  // namespace megalith
