// SPDX-License-Identifier: Apache-2.0
// megalith completion: a script for the shell, made from the definitions of the options.
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "megalith/core/check.h"
#include "option_text.h"
#include "verb.h"

namespace megalith::tool {
namespace {

constexpr const char* kStart = R"(# Completion of megalith's verbs, options and values for bash.
_megalith() {
  local verb=${COMP_WORDS[1]} before=${COMP_WORDS[COMP_CWORD - 1]} current=${COMP_WORDS[COMP_CWORD]}
  local words="" paths=""
  [ "$COMP_CWORD" -gt 1 ] || verb=""
  case "$verb" in
)";

constexpr const char* kEnd = R"(  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; [ -z "$paths" ] || compgen -f -- "$current")
  [ -z "$paths" ] || compopt -o filenames 2> /dev/null
  return 0
}
complete -F _megalith megalith
)";

/// The assignments that propose these values.
std::string proposing(const Values& values) {
  std::string words;
  for (const std::string& word : values.words) words += (words.empty() ? "" : " ") + word;
  return text("words=\"", words, "\" paths=", values.paths ? "yes" : "\"\"");
}

std::string names_of_options(const CLI::App& verb) {
  std::string names;
  for (const CLI::Option* option : verb.get_options()) {
    const std::string name = long_name(*option);
    if (!name.empty()) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

/// A verb's own case: values of the option before, options, or what may stand without one.
std::string case_of(const CLI::App& verb) {
  std::map<std::string, std::string> options_of;  // by what is proposed for their values
  Values alone;
  for (const CLI::Option* option : verb.get_options()) {
    if (!takes_value(*option)) continue;
    const Values values = values_of(*option);
    const std::string name = long_name(*option);
    std::string& options = options_of[proposing(values)];
    if (!name.empty()) options += (options.empty() ? "" : "|") + name;
    // An option of several values takes the words after its first.
    const bool several = option->get_items_expected_max() > 1;
    if (name.empty()) alone.words.insert(alone.words.end(), values.words.begin(), values.words.end());
    if (name.empty() || several) alone.paths = alone.paths || values.paths;
  }
  const std::string all = text("words=\"", names_of_options(verb), "\"");
  const bool takes_nothing = alone.words.empty() && !alone.paths;
  std::string branches;
  for (const auto& [proposal, options] : options_of)
    if (!options.empty()) branches += text("        ", options, ") ", proposal, " ;;\n");
  return text("    ", verb.get_name(), ")\n      case \"$before\" in\n", branches, "        *) case \"$current\" in\n",
              "          -*) ", all, " ;;\n          *) ", takes_nothing ? all : proposing(alone),
              " ;;\n        esac ;;\n      esac ;;\n");
}

std::string bash_completion(const CLI::App& app) {
  std::string names, cases;
  for (const CLI::App* verb : verbs_of(app)) {
    names += verb->get_name() + " ";
    cases += case_of(*verb);
  }
  return text(kStart, "    \"\") words=\"", names, names_of_options(app), "\" ;;\n", cases, kEnd);
}

}  // namespace

Verb add_completion(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("completion", "Prints a script that completes megalith's commands in a shell");
  const auto shell = std::make_shared<std::string>();
  verb->add_option("shell", *shell, "The shell")
      ->required()
      ->check(CLI::Validator(
          [](std::string& name) {
            return name == "bash" ? "" : text("there is no completion for '", name, "'; the one there is is for bash");
          },
          ""))
      ->type_name("bash");
  verb->footer(
      "In this shell: eval \"$(megalith completion bash)\"\n"
      "In every shell to come: megalith completion bash > ~/.local/share/bash-completion/completions/megalith");
  return {verb, [&app, shell] {
            std::fputs(bash_completion(app).c_str(), stdout);
            return kDone;
          }};
}

}  // namespace megalith::tool
