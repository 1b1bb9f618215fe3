// SPDX-License-Identifier: Apache-2.0
// Threads. The only file that knows OpenMP.
#pragma once

#include <omp.h>

#include <cassert>

#include "megalith/core/shape.h"

namespace megalith {

/// The number of processors that this process may use.
inline int available_processors() { return omp_get_num_procs(); }

/// Calls f(i, thread) for each i in [0, n) on up to `threads` threads; thread is in [0, threads). Which thread gets which i
/// is unspecified, so sums must be cut by the problem and never by the threads: then bits do not depend on `threads`. f must
/// not throw and must not call parallel_for; nor may the caller be inside an OpenMP region of its own.
///
/// Each thread begins with its own part of [0, n), the same in all calls with the same n, and then takes over what is left
/// of the others' parts: a call finds in a core's caches what the one before has left there.
template <class F>
void parallel_for(int threads, Index n, F&& f) {
  if (n <= 0) return;
  constexpr int kMaxParts = 64;
  const int team = static_cast<int>(n < threads ? n : threads);
  assert(!omp_in_parallel());
  if (team == 1) {  // without a parallel region: to begin one takes OpenMP as long as a small module
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    for (Index i = 0; i < n; ++i) f(i, 0);
    omp_set_num_threads(before);
    return;
  }
  const int parts = team < kMaxParts ? team : kMaxParts;
  struct Part {
    Index next, end, unused[6];  // no two share a cache line
  };
  Part part[kMaxParts];
  for (int p = 0; p < parts; ++p) part[p] = {n * p / parts, n * (p + 1) / parts, {}};
#pragma omp parallel num_threads(team)
  {
    // Setting the count inside the region changes it for this implicit task alone: libraries called from f (matrix
    // products) then start no threads of their own, and the caller's settings stay as they were.
    omp_set_num_threads(1);
    const int thread = omp_get_thread_num();
    for (int p = 0; p < parts; ++p) {
      Part& from = part[(thread + p) % parts];
      for (;;) {
        Index i;
#pragma omp atomic capture
        i = from.next++;
        if (i >= from.end) break;
        f(i, thread);
      }
    }
  }
}

}  // namespace megalith
