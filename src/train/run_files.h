// SPDX-License-Identifier: Apache-2.0
// The folder of a run: config.json, metrics.jsonl and the names of the checkpoint files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "megalith/io/run_names.h"
#include "megalith/train/run_config.h"

namespace megalith::detail {

class RunFiles {
 public:
  explicit RunFiles(std::string dir) : dir_(std::move(dir)) {}
  RunFiles(const RunFiles&) = delete;
  RunFiles& operator=(const RunFiles&) = delete;
  ~RunFiles() { end(); }

  std::string config() const { return run_names::path_in(dir_, run_names::kConfig); }
  std::string model() const { return run_names::path_in(dir_, run_names::kModel); }
  std::string best() const { return run_names::path_in(dir_, run_names::kBest); }
  std::string state() const { return run_names::path_in(dir_, run_names::kState); }
  std::string metrics() const { return run_names::path_in(dir_, run_names::kMetrics); }
  const std::string& dir() const { return dir_; }
  bool has_config() const;
  bool has_state() const;
  /// Whether nothing here can have come after a first checkpoint, which is that of step 0.
  bool untrained() const;

  /// Claims the folder: nobody else may train in it until end(). Throws Error where somebody does. A folder that does not
  /// exist cannot be claimed, and is not an error yet.
  void lock();

  /// Makes the folder where it is missing and begins a run in it. Throws Error where it cannot be written to or holds a run.
  void begin(const RunConfig& config);
  /// Takes up, in a locked folder, a run whose checkpoint came after that many lines of metrics: cuts those behind it, and
  /// returns how many there are. Throws Error where that cannot be written.
  std::int64_t take_up(const RunConfig& config, std::int64_t lines);

  /// Lets go of the folder.
  void end();

  /// Adds a line to metrics.jsonl with one write, so that a process that is killed leaves no half of it.
  void append_metrics(std::string line);
  /// Brings the metrics to the disk: a checkpoint must not be there without its lines.
  void sync_metrics() const;

 private:
  void open_metrics();
  /// Throws what the last call of the system said of metrics.jsonl.
  [[noreturn]] void cannot(const char* what) const;

  std::string dir_;
  int folder_ = -1, metrics_ = -1;  // descriptors
};

/// Ends the work in a run's folder however its scope is left.
class EndOfWork {
 public:
  explicit EndOfWork(RunFiles& files) : files_(files) {}
  EndOfWork(const EndOfWork&) = delete;
  EndOfWork& operator=(const EndOfWork&) = delete;
  ~EndOfWork() { files_.end(); }

 private:
  RunFiles& files_;
};

}  // namespace megalith::detail
