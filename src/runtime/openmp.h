// SPDX-License-Identifier: Apache-2.0
// The only file that knows OpenMP. Threads are the library's own (DESIGN.md says why), but what tasks call, such as Eigen's
// products, may start teams of OpenMP's, and OpenMP reads from the environment which processors a program is to use.
#pragma once

#include <omp.h>

#ifdef __linux__
#include <sched.h>

#include <cstddef>
#include <vector>
#endif

namespace megalith::detail {

/// The number of processors that the environment and the affinity mask of the process leave.
inline int openmp_processors() { return omp_get_num_procs(); }

/// While one lives, what the calling thread calls starts no team. Other threads keep their setting, and this one gets its
/// own back.
class WithoutOpenMpTeams {
 public:
  WithoutOpenMpTeams() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~WithoutOpenMpTeams() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  WithoutOpenMpTeams(const WithoutOpenMpTeams&) = delete;
  WithoutOpenMpTeams& operator=(const WithoutOpenMpTeams&) = delete;

 private:
  int before_;
};

#ifdef __linux__
/// Lets the calling thread run on all processors that OMP_PLACES or OMP_PROC_BIND names, where one is set: OpenMP has then
/// put the program's first thread on one of them, and threads inherit that.
inline void run_on_all_places() {
  if (omp_get_proc_bind() == omp_proc_bind_false || omp_get_num_places() == 0) return;
  cpu_set_t all;
  CPU_ZERO(&all);
  for (int place = 0; place < omp_get_num_places(); ++place) {
    std::vector<int> processors(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    omp_get_place_proc_ids(place, processors.data());
    for (const int p : processors)
      if (p < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(p), &all);
  }
  sched_setaffinity(0, sizeof(all), &all);  // if refused, the thread stays where it is
}
#else
inline void run_on_all_places() {}
#endif

}  // namespace megalith::detail
