// SPDX-License-Identifier: Apache-2.0
#include "standard_input.h"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>

#include "../page/numbers.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/io/run_names.h"
#include "read_bytes.h"

namespace megalith::tool {

using page::grouped;

namespace fs = std::filesystem;

StandardInput::StandardInput(int descriptor, const std::string& run_dir, std::int64_t max_bytes) : run_dir_(run_dir) {
  check(isatty(descriptor) != 1, "--data - reads standard input, which is a terminal; pipe the bytes in");
  check_is_free();
  unfinished_.emplace([this] { make_folder(); }, [this] { remove_unless_begun(); });
  read(descriptor, max_bytes);
}

void StandardInput::check_is_free() const {
  std::error_code error;
  check(!holds_run(), run_dir_, " holds a run already (", run_names::kConfig, "); resume it, or choose another folder");
  check(!fs::exists(path_in(run_dir_), error), path_in(run_dir_),
        " is there already, which --data - would overwrite; choose ", "another folder");
}

bool StandardInput::holds_run() const {
  std::error_code error;
  return fs::exists(run_names::path_in(run_dir_, run_names::kConfig), error);
}

void StandardInput::make_folder() {
  std::error_code error;
  made_folder_ = fs::create_directories(run_dir_, error);
  check(fs::is_directory(run_dir_, error), "cannot make the folder ", run_dir_, ": ",
        error ? error.message() : std::string("something else has that name"));
}

void StandardInput::read(int descriptor, std::int64_t max_bytes) {
  AtomicFile file(path_in(run_dir_));
  std::array<std::byte, 1 << 16> piece;
  std::int64_t bytes = 0;
  while (const std::size_t n = read_some(descriptor, piece, "standard input")) {
    bytes += static_cast<std::int64_t>(n);
    check(bytes <= max_bytes, "standard input has more than ", grouped(max_bytes),
          " bytes, which is the most that --data - keeps; ", "write them to a file and name that");
    file.write(std::span(piece).first(n));
  }
  check(bytes > 0, "standard input is empty; pipe in the bytes to learn from, or name files with --data");
  check_is_free();  // reading may have taken long, and another run have begun
  kept_ = true;     // before: a signal may end the process at any moment
  file.commit();
}

void StandardInput::remove_unless_begun() const {
  std::error_code error;
  if (holds_run()) return;
  if (kept_) fs::remove(path_in(run_dir_), error);
  if (made_folder_) fs::remove(run_dir_, error);  // fails where something else lies there by now
}

}  // namespace megalith::tool
