// SPDX-License-Identifier: Apache-2.0
#include "data_options.h"

#include <algorithm>
#include <filesystem>

#include "megalith/core/check.h"
#include "options.h"

namespace megalith::tool {
namespace {

/// Whether a name leads to something, be it a link to nothing; - is standard input.
bool is_there(const std::string& path) {
  std::error_code error;
  return path == "-" || std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

}  // namespace

void add_patterns(CLI::App& verb, FilePatterns& patterns) {
  verb.add_option(
          "--include", patterns.include,
          "Shell patterns: of folders, only files whose name matches one; with a /, whose path below the folder does")
      ->type_name("PATTERN");
  verb.add_option("--exclude", patterns.exclude,
                  "Files of folders to leave out, by such patterns; one that ends in / is for a folder and all under it")
      ->type_name("PATTERN");
}

void add_data(CLI::App& verb, DataOptions& options) {
  verb.add_option(
          "--data", options.paths,
          "Files, or folders that stand for all files under them, or - for standard input; without it, what is piped in")
      ->type_name("PATH");
  add_patterns(verb, options.patterns);
}

WeightedPath weighted_path(const std::string& given) {
  const std::size_t colon = given.rfind(':');
  if (colon == given.npos || colon == 0 || is_there(given)) return {given, {}};
  const std::string path = given.substr(0, colon), after = given.substr(colon + 1);
  const std::optional<double> weight = decimal_number(after);
  if (weight && *weight > 0) return {path, weight};
  if (!weight && !is_there(path)) return {given, {}};
  throw CLI::ValidationError("--data", text("the weight of ", path, " is '", after, "', and must be a number above 0"));
}

void take_weights_apart(const std::vector<std::string>& given, std::vector<std::string>& paths,
                        std::vector<double>& weights) {
  paths.clear();
  weights.clear();
  bool any = false;
  for (const std::string& one : given) {
    const WeightedPath source = weighted_path(one);
    paths.push_back(source.path);
    weights.push_back(source.weight.value_or(1));
    any = any || source.weight;
  }
  if (!any) weights.clear();
}

}  // namespace megalith::tool
