// SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <algorithm>

#include "megalith/core/check.h"
#include "option_text.h"

namespace megalith::tool {
namespace {

/// Stands before a value on its way through the parser, which then finds nothing in it that it acts on.
constexpr char kMark = '\x1f';

std::string marked(const std::string& value) { return kMark + value; }

/// The option of a verb that takes a value and has this name, or null.
const CLI::Option* option_named(const CLI::App& verb, const std::string& name) {
  for (const CLI::Option* option : verb.get_options())
    if (takes_value(*option) && option->check_name(name) && !option->get_positional()) return option;
  return nullptr;
}

/// Whether what comes behind the name of an option is its value: of one whose value may be left out, a word that it knows.
bool is_value(const CLI::Option& option, const std::string& next) {
  const std::vector<std::string> words = values_of(option).words;
  return option.get_items_expected_min() > 0 || std::find(words.begin(), words.end(), next) != words.end();
}

/// The arguments behind a verb, with its values marked. The value of an option is what comes behind its name, whatever it
/// is. A value that is left out is the first word that the option knows.
std::vector<std::string> with_marks(const CLI::App& verb, const std::vector<std::string>& given) {
  std::vector<std::string> out;
  bool value = false, only_values = false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& argument = given[i];
    const std::size_t equals = argument.find('=');
    const bool looks_special =
        !argument.empty() && (argument[0] == '[' || argument[0] == kMark || argument.starts_with("-:"));
    if (value || looks_special) {
      out.push_back(marked(argument));
      value = false;
    } else if (only_values || !argument.starts_with("--")) {
      out.push_back(argument);
    } else if (argument == "--") {
      only_values = true;
      out.push_back(argument);
    } else if (equals != argument.npos && option_named(verb, argument.substr(0, equals)) != nullptr) {
      out.push_back(argument.substr(0, equals + 1) + marked(argument.substr(equals + 1)));
    } else if (argument.ends_with('=')) {
      out.push_back(argument + kMark);  // a flag with an empty value is one with a value, which flags do not take
    } else {
      const CLI::Option* const option = option_named(verb, argument);
      const bool left_out = option != nullptr && !is_value(*option, i + 1 < given.size() ? given[i + 1] : "");
      value = option != nullptr && !left_out;
      out.push_back(left_out ? text(argument, "=", values_of(*option).words.at(0)) : argument);
    }
  }
  return out;
}

/// Makes the options of a verb take marks off their values, before anything else looks at them.
void take_marks_off(const CLI::App& verb) {
  for (const CLI::Option* option : verb.get_options()) {
    if (!takes_value(*option)) continue;
    const bool may_be_empty = !values_of(*option).paths;
    const std::string type = option->get_type_name();
    const_cast<CLI::Option*>(option)->transform(CLI::Validator(
        [may_be_empty, type](std::string& value) {
          value = as_given(value);
          return may_be_empty || !value.empty() ? std::string() : text("its value is empty; give ", type);
        },
        ""));
  }
}

}  // namespace

std::string as_given(const std::string& left) { return left.starts_with(kMark) ? left.substr(1) : left; }

void parse(CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const auto verbs = verbs_of(app);
  const auto verb = std::find_if(verbs.begin(), verbs.end(), [&](const CLI::App* v) {
    return !arguments.empty() && v->get_name() == arguments.front();
  });
  if (verb != verbs.end()) {
    take_marks_off(**verb);
    std::vector<std::string> behind = with_marks(**verb, {arguments.begin() + 1, arguments.end()});
    arguments.resize(1);
    arguments.insert(arguments.end(), behind.begin(), behind.end());
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  app.parse(std::move(arguments));
}

}  // namespace megalith::tool
