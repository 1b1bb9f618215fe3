// SPDX-License-Identifier: Apache-2.0
#include "option_text.h"

#include <algorithm>
#include <sstream>

#include "megalith/models/zoo.h"

namespace megalith::tool {

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string long_name(const CLI::Option& option) {
  return option.get_lnames().empty() ? "" : "--" + option.get_lnames().front();
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

Values values_of(const CLI::Option& option) {
  Values values;
  std::istringstream list(option.get_type_name());
  for (std::string type; std::getline(list, type, '|');) {
    const auto is_small = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (std::all_of(type.begin(), type.end(), is_small)) values.words.push_back(type);
    if (type == "NAME")
      for (const Preset& preset : presets()) values.words.push_back(preset.name);
    for (const char* path : {"PATH", "FILE", "DIR", "CHECKPOINT"})
      if (type.find(path) != type.npos) values.paths = true;
  }
  return values;
}

}  // namespace megalith::tool
