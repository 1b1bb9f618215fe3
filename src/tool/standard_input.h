// SPDX-License-Identifier: Apache-2.0
// Training data from standard input: kept in the folder of the run, since a run reads its data many times, and again when it
// is resumed.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "megalith/io/unfinished.h"

namespace megalith::tool {

inline constexpr std::int64_t kMaxInput = std::int64_t{1} << 30;

/// stdin.bin in the folder of a new run. Unless the run begins, it goes away again, and so does the folder where it was made
/// for it: with this value, or by Unfinished::undo_all().
class StandardInput {
 public:
  /// Reads `descriptor` to its end. Throws Error, and leaves nothing, where that is a terminal, where no byte or more than
  /// `max_bytes` come, where the folder holds a run, and where the file cannot be written.
  StandardInput(int descriptor, const std::string& run_dir, std::int64_t max_bytes = kMaxInput);
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

  static std::string path_in(const std::string& run_dir) { return run_dir + "/stdin.bin"; }

 private:
  bool holds_run() const;
  /// Throws Error where the folder holds a run, or such a file.
  void check_is_free() const;
  void make_folder();
  void read(int descriptor, std::int64_t max_bytes);
  void remove_unless_begun() const;

  std::string run_dir_;
  bool made_folder_ = false;
  std::atomic<bool> kept_{false};  // whether the file is this one's
  std::optional<Unfinished> unfinished_;
};

}  // namespace megalith::tool
