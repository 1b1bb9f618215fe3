// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "megalith/io/unfinished.h"

namespace megalith {

/// Writes a file under a temporary name in the same folder, `path` + kTemporary, and gives it its name once all of it is on
/// the disk. An interruption at any moment leaves either the old file or the new one under `path`. A process that is killed
/// leaves the temporary file behind (one that ends by Unfinished::undo_all() does not); the next writer removes it. Several
/// may write one path at once, each under a temporary name of its own (`path`.2 + kTemporary): the last to commit stays. A
/// file that is replaced keeps its permissions, and its owner and group where that is allowed; a new one has those that the
/// umask leaves. A link stays, and the file that it leads to is written.
class AtomicFile {
 public:
  static constexpr const char* kTemporary = ".megalith-tmp";

  /// Throws Error where the folder is missing or cannot be written to, and where something else than a regular file has that
  /// name, such as a folder or a device.
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Without commit(), removes what was written.
  ~AtomicFile();

  /// Appends. Throws Error, for instance where the disk is full or the process may write no larger file (SIGXFSZ, which the
  /// system sends then, ends no program here).
  void write(std::span<const std::byte> data);
  void write(std::string_view text);
  /// fsync, rename, fsync of the folder. Throws Error; the old file, if any, then stays.
  void commit();

 private:
  void open();
  bool take(unsigned permissions);

  std::string path_, temporary_;
  int descriptor_ = -1;
  std::optional<Unfinished> unfinished_;
};

/// Replaces the file at `path` by `text`, whole or not at all.
void write_file(const std::string& path, std::string_view text);

}  // namespace megalith
