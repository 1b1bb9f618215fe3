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
/// is left open, so work must be cut by the problem and never by the thread: then bits do not depend on `threads`.
/// f must not throw and must not call parallel_for again; nor may the caller be inside an OpenMP region of its own.
template <class F>
void parallel_for(int threads, Index n, F&& f) {
  if (n <= 0) return;
  const int team = static_cast<int>(n < threads ? n : threads);
  assert(!omp_in_parallel());
#pragma omp parallel num_threads(team)
  {
    // Setting the count inside the region changes it for this implicit task alone: libraries called from f (matrix
    // products) then start no threads of their own, and the caller's settings stay as they were.
    omp_set_num_threads(1);
    const int thread = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
    for (Index i = 0; i < n; ++i) f(i, thread);
  }
}

}  // namespace megalith
