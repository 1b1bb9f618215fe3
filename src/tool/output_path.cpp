// SPDX-License-Identifier: Apache-2.0
#include "output_path.h"

#include <filesystem>
#include <system_error>

#include "megalith/core/check.h"
#include "megalith/io/run_names.h"

namespace megalith::tool {

void check_is_no_input(const char* option, const std::string& path, const std::string& checkpoint, const Corpus* corpus) {
  const auto refuse_if = [&](const std::filesystem::path& other) {
    std::error_code none;
    check(!std::filesystem::equivalent(path, other, none), option, " ", path, " would overwrite ", other.string(),
          ", which is read or belongs to the run; choose another file");
  };
  if (corpus != nullptr)
    for (const CorpusFile& file : corpus->files()) refuse_if(file.path);
  refuse_if(checkpoint);
  for (const std::string_view name : run_names::kAll) refuse_if(std::filesystem::path(checkpoint) / name);
}

}  // namespace megalith::tool
