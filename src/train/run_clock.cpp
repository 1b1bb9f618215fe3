// SPDX-License-Identifier: Apache-2.0
#include "run_clock.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <system_error>

namespace megalith::detail {
namespace {

constexpr double kLook = 0.1, kStopped = 1;  // seconds

double machine_time() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

RunClock::RunClock() : looked_(machine_time()) {
  sigset_t all{}, before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's own threads
  try {
    watcher_ = std::thread([this] { watch(); });
  } catch (const std::system_error&) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RunClock::~RunClock() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

double RunClock::counted(double since) { return since < kStopped ? since : kLook; }

double RunClock::now() {
  const std::lock_guard lock(mutex_);
  return advance();
}

double RunClock::advance() {
  const double at = machine_time(), since = at - looked_;
  looked_ = at;
  return time_ += watcher_.joinable() ? counted(since) : since;
}

void RunClock::watch() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, std::chrono::duration<double>(kLook), [this] { return end_; })) advance();
}

}  // namespace megalith::detail
