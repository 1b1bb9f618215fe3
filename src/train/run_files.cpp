// SPDX-License-Identifier: Apache-2.0
#include "run_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <limits>
#include <span>
#include <system_error>

#include "../io/write_all.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/io/input_file.h"
#include "megalith/io/safetensors.h"

namespace megalith::detail {

namespace fs = std::filesystem;

bool RunFiles::has_config() const {
  std::error_code error;
  return fs::exists(config(), error);
}

bool RunFiles::has_state() const {
  std::error_code error;
  return fs::exists(state(), error);
}

bool RunFiles::untrained() const {
  std::error_code error;
  if (fs::exists(best(), error) || (fs::exists(metrics(), error) && fs::file_size(metrics(), error) > 0)) return false;
  if (!fs::exists(model(), error)) return true;
  const SafetensorsReader reader(model());
  const auto step = reader.metadata().find("step");
  return step != reader.metadata().end() && step->second == "0";
}

void RunFiles::lock() {
  if (folder_ >= 0) return;
  const int folder = ::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool taken = folder >= 0 && ::flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (taken) ::close(folder);
  check(!taken, "another trainer is at work in ", dir_, "; wait for it, or choose another folder");
  folder_ = folder;  // where a file system knows no locks, the run goes without
}

void RunFiles::end() {
  for (int* const descriptor : {&metrics_, &folder_}) {
    if (*descriptor >= 0) ::close(*descriptor);
    *descriptor = -1;
  }
}

void RunFiles::begin(const RunConfig& config) {
  std::error_code error;
  fs::create_directories(dir_, error);
  check(fs::is_directory(dir_, error), "cannot make the folder ", dir_, ": ",
        error ? error.message() : std::string("something else has that name"));
  lock();
  for (const std::string& file : {this->config(), state(), model(), best(), metrics()})
    check(!fs::exists(file, error), dir_, " holds a run already (", fs::path(file).filename().string(),
          "); resume it, or choose another folder");
  // First: with its config.json the folder is a run, and can be resumed from any moment on.
  write_file(this->config(), to_json(config));
  open_metrics();
}

std::int64_t RunFiles::take_up(const RunConfig& config, std::int64_t lines) {
  open_metrics();
  const std::string before = read_text(metrics(), std::numeric_limits<std::uint64_t>::max());
  std::size_t keep = 0;
  std::int64_t kept = 0;
  for (std::size_t end; kept < lines && (end = before.find('\n', keep)) != before.npos; ++kept) keep = end + 1;
  if (::ftruncate(metrics_, static_cast<off_t>(keep)) != 0) cannot("shorten");
  write_file(this->config(), to_json(config));
  return kept;
}

void RunFiles::open_metrics() {
  metrics_ = ::open(metrics().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (metrics_ < 0) cannot("write");
}

void RunFiles::append_metrics(std::string line) {
  line += '\n';
  if (!write_all(metrics_, std::as_bytes(std::span(line)))) cannot("write");
}

void RunFiles::sync_metrics() const {
  if (::fsync(metrics_) != 0) cannot("write");
}

void RunFiles::cannot(const char* what) const {
  throw Error(text("cannot ", what, " ", metrics(), ": ", std::generic_category().message(errno)));
}

}  // namespace megalith::detail
