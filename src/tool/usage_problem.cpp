// SPDX-License-Identifier: Apache-2.0
#include "usage_problem.h"

#include <algorithm>
#include <vector>

#include "../page/utf8.h"
#include "arguments.h"
#include "megalith/core/check.h"
#include "megalith/core/nearest.h"
#include "option_text.h"

namespace megalith::tool {
namespace {

using page::printable;

using Options = std::vector<const CLI::Option*>;

/// "--out DIR".
std::string shown(const CLI::Option& option) {
  return long_name(option) + (takes_value(option) ? " " + option.get_type_name() : "");
}

std::vector<std::string> names_of(const Options& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options)
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

/// What looks like an option among the arguments that nobody took, or empty.
std::string unknown_option(const CLI::App& app) {
  for (const std::string& left : app.remaining())
    if (left.size() > 1 && left[0] == '-' && left != "--") return left.substr(0, left.find('='));
  return "";
}

/// What is wrong, and whether the sentence itself says what to give instead; --help does where it does not.
struct Wrong {
  std::string sentence;
  bool suggests = false;
};

Wrong about_unknown(const std::string& given, const Options& known) {
  const std::string instead = suggestion(given, names_of(known));
  return {text("there is no option ", printable(given), instead), !instead.empty()};
}

/// The option that the parser's sentence begins with, with its dashes or without, or null.
const CLI::Option* named(const std::string& sentence, const Options& options) {
  const std::string first = sentence.substr(0, sentence.find_first_of(": "));
  for (const CLI::Option* option : options)
    if (first == option->get_name() || "--" + first == long_name(*option)) return option;
  return nullptr;
}

/// What is wrong with options that the verb has; the parser's own sentence where nothing better is known.
std::string about_known_options(const CLI::App& verb, const CLI::ParseError& error, const Options& options) {
  const std::string sentence = error.what();
  const CLI::Option* const at = named(sentence, options);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    return text("there is nothing to do with '",
                verb.remaining().empty() ? "" : printable(as_given(verb.remaining().front())), "'");
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr)
    for (const CLI::Option* option : options)
      for (const CLI::Option* other : option->get_excludes())
        if (option->count() > 0 && other->count() > 0)
          return text(long_name(*option), " and ", long_name(*other), " exclude each other; give one of them");
  if (at == nullptr) return sentence;
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
    return long_name(*at).empty() ? text("the ", at->get_name(), " is missing; give ", at->get_type_name())
                                  : shown(*at) + " is missing";
  if (dynamic_cast<const CLI::RequiresError*>(&error) != nullptr)
    for (const CLI::Option* other : at->get_needs())
      if (other->count() == 0) return text(long_name(*at), " is given without ", shown(*other), ", which it needs");
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    if (!takes_value(*at)) return long_name(*at) + " takes no value";
    if (at->count() > 1 && at->get_items_expected_max() == 1)
      return text(long_name(*at), " is given ", at->count(), " times; give it once");
    return text(long_name(*at), " is given without its value ", at->get_type_name());
  }
  return sentence;
}

Wrong about_options(const CLI::App& verb, const CLI::ParseError& error, const Options& options) {
  const std::string given = unknown_option(verb);
  return given.empty() ? Wrong{about_known_options(verb, error, options)} : about_unknown(given, options);
}

/// The whole line.
std::string with_help(const std::string& command, const Wrong& wrong) {
  return command + ": " + wrong.sentence + (wrong.suggests ? "" : "; see " + command + " --help");
}

}  // namespace

std::string usage_problem(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const auto every = [](const CLI::Option*) { return true; };
  const auto chosen = app.get_subcommands();
  if (chosen.empty() && argc > 1 && argv[1][0] == '-')
    return with_help("megalith", about_unknown(argv[1], app.get_options(every)));
  if (chosen.empty() && argc > 1) {
    std::vector<std::string> verbs;
    for (const CLI::App* verb : verbs_of(app)) verbs.push_back(verb->get_name());
    return text("megalith: there is no verb '", printable(argv[1]), "'", suggestion(argv[1], verbs));
  }
  if (chosen.empty()) return "megalith: name a verb such as train; see megalith --help";
  const CLI::App& verb = *chosen.front();
  const std::string name = "megalith " + verb.get_name();
  for (const std::string& left : app.remaining())  // not those of the verb
    if (left != "--")
      return with_help(name, {text("'", printable(as_given(left)), "' stands outside of what ", name,
                                   " takes; options come after the verb")});
  return with_help(name, about_options(verb, error, verb.get_options(every)));
}

}  // namespace megalith::tool
