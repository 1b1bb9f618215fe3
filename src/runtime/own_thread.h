// SPDX-License-Identifier: Apache-2.0
// What a thread of the library's own needs of the system.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#endif

namespace megalith::detail {

/// Starts a thread that gets no signals but those that its own faults raise and the profiler's: a program's handlers are for
/// the program's threads. False where the system refuses.
inline bool start_thread(pthread_t& thread, void* (*main)(void*), void* argument) {
  sigset_t others, before;
  sigfillset(&others);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPROF}) sigdelset(&others, own);
  pthread_sigmask(SIG_SETMASK, &others, &before);
  const bool started = pthread_create(&thread, nullptr, main, argument) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

/// A thread that holds one, as its thread_local, keeps the shared object with our code from being unloaded by dlclose(): a
/// plugin may leave threads behind.
class KeepsCodeLoaded {
 public:
  ~KeepsCodeLoaded() { here_ = false; }
  void hold() { here_ = true; }

 private:
  volatile bool here_ = false;  // volatile, so that the destructor is not optimised away
};

/// Tells the processor that this is a loop of waiting.
inline void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

struct CoreUse {
  std::chrono::microseconds time{};  // that it computed
  long taken = 0;                    // how often the system took the core though the thread had not asked to wait
};

#ifdef __linux__
/// The processor that the calling thread runs on.
inline int current_processor() { return sched_getcpu(); }
/// Moves the calling thread to another processor, where its mask has one; the mask stays as it is.
inline void leave_processor(int processor) {
  cpu_set_t mask;
  if (processor < 0 || processor >= CPU_SETSIZE || sched_getaffinity(0, sizeof(mask), &mask) != 0) return;
  cpu_set_t others = mask;
  CPU_CLR(static_cast<std::size_t>(processor), &others);
  if (CPU_COUNT(&others) == 0) return;
  sched_setaffinity(0, sizeof(others), &others);
  sched_setaffinity(0, sizeof(mask), &mask);
}
/// What the calling thread has had of its core.
inline CoreUse core_use() {
  rusage usage{};
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return {};
  const auto microseconds = [](const timeval& t) { return t.tv_sec * 1000000L + t.tv_usec; };
  return {std::chrono::microseconds(microseconds(usage.ru_utime) + microseconds(usage.ru_stime)), usage.ru_nivcsw};
}
#else
inline int current_processor() { return -1; }
inline void leave_processor(int) {}
inline CoreUse core_use() { return {}; }
#endif

}  // namespace megalith::detail
