// SPDX-License-Identifier: Apache-2.0
#include "output_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "megalith/core/check.h"
#include "megalith/io/run_names.h"

namespace megalith::tool {
namespace {

/// What the tool leaves in a run beside the trainer's files.
constexpr const char* kOfTheTool[] = {"samples.jsonl", "stdin.bin", "report.html", "curve.svg", "compressors.json"};

/// The run's folder, or that in which a checkpoint lies where that is a run; else empty.
std::filesystem::path folder_of_run(const std::filesystem::path& checkpoint) {
  std::error_code none;
  if (std::filesystem::is_directory(checkpoint, none)) return checkpoint;
  const std::filesystem::path folder = checkpoint.has_parent_path() ? checkpoint.parent_path() : ".";
  return std::filesystem::exists(folder / run_names::kConfig, none) ? folder : "";
}

/// Throws Error where what is printed would go into the same file, under whatever name.
void check_is_not_printed_to(const char* option, const std::string& path) {
  struct stat file {
  }, printed{};
  if (::stat(path.c_str(), &file) != 0) return;
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO})
    check(::fstat(descriptor, &printed) != 0 || printed.st_dev != file.st_dev || printed.st_ino != file.st_ino, option, " ",
          path, " is where the command prints to; choose another file");
}

}  // namespace

void check_is_no_input(const char* option, const std::string& path, const std::string& checkpoint, const Corpus* corpus) {
  const auto refuse_if = [&](const std::filesystem::path& other) {
    std::error_code none;
    check(!std::filesystem::equivalent(path, other, none), option, " ", path, " would overwrite ", other.string(),
          ", which is read or belongs to the run; choose another file");
  };
  check_is_not_printed_to(option, path);
  if (corpus != nullptr)
    for (const CorpusFile& file : corpus->files()) refuse_if(file.path);
  refuse_if(checkpoint);
  const std::filesystem::path run = folder_of_run(checkpoint);
  if (run.empty()) return;
  for (const std::string_view name : run_names::kAll) refuse_if(run / name);
  for (const char* name : kOfTheTool) refuse_if(run / name);
}

}  // namespace megalith::tool
