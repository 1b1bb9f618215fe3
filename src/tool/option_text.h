// SPDX-License-Identifier: Apache-2.0
// What the completion and the manual read from the definitions of verbs and options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace megalith::tool {

/// The verbs, in the order of --help.
std::vector<const CLI::App*> verbs_of(const CLI::App& app);

/// "--help", or "" for a positional. Of several names, the first long one.
std::string long_name(const CLI::Option& option);

/// Whether a value follows the option's name.
bool takes_value(const CLI::Option& option);

/// What may stand for the option's value. A type name is a list with | between: words in small letters stand for themselves,
/// NAME for the models that have one, and anything with PATH, FILE, DIR or CHECKPOINT in it for paths.
struct Values {
  std::vector<std::string> words;
  bool paths = false;
};
Values values_of(const CLI::Option& option);

}  // namespace megalith::tool
