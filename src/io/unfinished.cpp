// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/unfinished.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace megalith {
namespace {

std::mutex all_mutex;
std::vector<std::function<void()>*> all;  // of the process, the latest last

}  // namespace

Unfinished::Unfinished(const std::function<void()>& begin, std::function<void()> undo) {
  const std::lock_guard lock(all_mutex);
  all.push_back(&undo_);
  try {
    begin();
  } catch (...) {
    all.pop_back();
    throw;
  }
  undo_ = std::move(undo);
}

Unfinished::~Unfinished() {
  const std::lock_guard lock(all_mutex);
  std::erase(all, &undo_);
  if (undo_) undo_();
}

void Unfinished::finish(const std::function<void()>& end) {
  const std::lock_guard lock(all_mutex);
  end();
  undo_ = nullptr;
}

std::unique_lock<std::mutex> Unfinished::undo_all() {
  std::unique_lock lock(all_mutex);
  for (auto undo = all.rbegin(); undo != all.rend(); ++undo)
    if (**undo) std::exchange(**undo, nullptr)();
  return lock;
}

}  // namespace megalith
