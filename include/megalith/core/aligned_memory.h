// SPDX-License-Identifier: Apache-2.0
// Memory for numbers, aligned by the library's own allocator: Eigen's alignment depends on compiler flags, and a library and
// its user may be compiled with different ones.
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

/// Asks for 2 MB pages wherever one fits into this range: a matrix product touches more 4 KB pages than the TLB holds. No
/// effect where the system does not have them.
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
