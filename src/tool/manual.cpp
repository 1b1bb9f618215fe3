// SPDX-License-Identifier: Apache-2.0
// megalith man: the manual page, made from the definitions of the options.
#include <cstdio>
#include <string>
#include <string_view>

#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "option_text.h"
#include "verb.h"

namespace megalith::tool {
namespace {

constexpr const char* kEnd = R"(.SH EXIT STATUS
0 done; 1 failed, with one sentence on standard error; 2 wrong usage; and, as shells say it, 130 after Ctrl\-C, 143
after SIGTERM and 129 after SIGHUP, with which a terminal closes. A training run ends its step or validation then, and saves,
and so it does at SIGUSR1, SIGUSR2, SIGALRM and SIGXCPU; whatever else runs ends at once, and so does a training run at a
second Ctrl\-C or SIGTERM. Nothing half written is left.
.SH ENVIRONMENT
.TP
.B NO_COLOR
Where it is set and not empty, nothing is coloured.
.TP
.B TERM
Where it is not set or "dumb", progress comes as plain lines, as it does elsewhere than on a terminal.
.SH FILES
A run directory holds
.IR config.json ,
.I model.safetensors
(the model as other verbs load it),
.I best.safetensors
(that of the best validation),
.I state.safetensors
(what resuming needs),
.I metrics.jsonl
(a line every ten steps and at validations),
.I report.html
(a page about the run),
.I curve.svg
(its learning curve),
.I compressors.json
(what gzip and xz made of at most a mebibyte of the validation data), and where they were asked for
.I samples.jsonl
(what the model wrote meanwhile) and
.I stdin.bin
(the data that came from standard input).
)";

/// Text as roff shows it: its own signs escaped, and no line that starts like a request.
std::string escaped(std::string_view plain) {
  std::string roff;
  for (const char c : plain) {
    const bool starts_line = roff.empty() || roff.back() == '\n';
    if (starts_line && c == '.') roff += "\\&";
    switch (c) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '`':
        roff += "\\(ga";
        break;
      case '^':
        roff += "\\(ha";
        break;
      case '~':
        roff += "\\(ti";
        break;
      default:
        roff += c;
    }
  }
  return roff;
}

std::string bold(std::string_view plain) { return "\\fB" + escaped(plain) + "\\fR"; }
std::string italic(std::string_view plain) { return "\\fI" + escaped(plain) + "\\fR"; }

/// "--data PATH ..." with fonts.
std::string usage(const CLI::Option& option) {
  std::string all;
  for (const std::string& name : option.get_snames()) all += bold("-" + name) + ", ";
  all += bold(long_name(option));
  if (!takes_value(option)) return all;
  const bool alone = option.get_positional();
  return (alone ? "" : all + " ") + italic(option.get_type_name()) + (option.get_items_expected_max() > 1 ? " ..." : "");
}

std::string entry(const CLI::Option& option) {
  const std::string value = option.get_default_str();
  return text(".TP\n", usage(option), "\n", escaped(option.get_description()),
              value.empty() ? "" : text(" [", escaped(value), "]"), option.get_required() ? " (required)" : "", "\n");
}

std::string section(const CLI::App& verb) {
  std::string all = text(".SS ", bold("megalith " + verb.get_name()));
  for (const CLI::Option* option : verb.get_options())
    if (option->get_positional()) all += " " + italic(option->get_type_name());
  all += text("\n", escaped(verb.get_description()), ".\n");
  for (const CLI::Option* option : verb.get_options())
    if (long_name(*option) != "--help") all += entry(*option);
  if (!verb.get_footer().empty()) {
    all += ".PP\n";
    const std::string footer = escaped(verb.get_footer());
    for (std::size_t i = 0; i < footer.size(); ++i) {  // lines that start a sentence stay lines
      const bool breaks = footer[i] == '\n' && i + 1 < footer.size() && footer[i + 1] >= 'A' && footer[i + 1] <= 'Z';
      all += breaks ? "\n.br\n" : std::string(1, footer[i]);
    }
    all += "\n";
  }
  return all;
}

std::string manual(const CLI::App& app) {
  std::string all = text(".TH MEGALITH 1 \"\" \"megalith ", kLibraryVersion, "\" \"User Commands\"\n", ".SH NAME\n",
                         "megalith \\- byte models of several scales, trained and run on CPUs\n.SH SYNOPSIS\n");
  all += text(bold("megalith"), " ", italic("VERB"), " [", italic("OPTION"), "]...\n.SH DESCRIPTION\n",
              escaped(app.get_description()), "\nEvery verb has ", bold("--help"), "; ", bold("megalith --version"),
              " tells the version.\n.SH VERBS\n");
  for (const CLI::App* verb : verbs_of(app)) all += section(*verb);
  return all + kEnd;
}

}  // namespace

Verb add_manual(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("man", "Prints the manual page");
  verb->footer("To read it: megalith man > megalith.1 && man -l megalith.1");
  return {verb, [&app] {
            std::fputs(manual(app).c_str(), stdout);
            return kDone;
          }};
}

}  // namespace megalith::tool
