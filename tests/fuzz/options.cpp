// SPDX-License-Identifier: Apache-2.0
// The input is a command line of the tool, an argument on each line, without the program's name. Verbs that compute or write
// are not run; those that only print are. Relative paths are in tests/fuzz/files.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "arguments.h"
#include "generate_options.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/zoo.h"
#include "outcome.h"
#include "run_config.h"
#include "verb.h"

namespace megalith::fuzz {
namespace {

using tool::Verb;

/// The files that the seeds name are at hand, nothing waits for input, and what verbs print is not seen.
bool prepare() {
  return ::chdir(MEGALITH_FUZZ_FILES) == 0 && std::freopen("/dev/null", "r", stdin) != nullptr &&
         std::freopen("/dev/null", "w", stdout) != nullptr;
}

std::vector<std::string> lines(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> all;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  for (std::string line; std::getline(in, line);) all.emplace_back(line.c_str());  // an argument ends at its first zero
  return all;
}

/// As main.cpp does it, with the first part of what train and generate do.
void run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "megalith");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  CLI::App app{"", "megalith"};
  app.set_version_flag("--version", "megalith");
  app.require_subcommand(1);
  tool::TrainOptions train;
  tool::GenerateOptions generate;
  CLI::App& train_verb = *app.add_subcommand("train");
  CLI::App& generate_verb = *app.add_subcommand("generate");
  add_options(train_verb, train);
  add_options(generate_verb, generate);
  const auto describe_run = [&] {
    const RunConfig config = tool::run_config(train);
    config.model.validate();
    config.train.validate(*make_summary(config.model));
    (void)model_name(config.model);
    for (const auto& as : {train.sample_as, tool::shown_as(config.model.record)}) {
      if (!as) continue;
      const auto again = tool::shown_as(tool::to_string(*as));
      require(again && tool::to_string(*again) == tool::to_string(*as), "what samples are shown as comes back");
    }
    return 0;
  };
  const auto read_prompt = [&] {
    (void)tool::read_prompt(generate, Scan());
    return 0;
  };
  const Verb eval = tool::add_eval(app), classify = tool::add_classify(app), embed = tool::add_embed(app),
             raw = tool::add_raw(app),
             show = tool::add_show(app);  // own what is parsed into
  const auto nothing = [] { return 0; };
  const std::vector<Verb> verbs{{&train_verb, describe_run}, {&generate_verb, read_prompt}, {eval.options, nothing},
                                {classify.options, nothing}, {embed.options, nothing},      {raw.options, nothing},
                                {show.options, nothing},     tool::add_models(app),         tool::add_info(app),
                                tool::add_flops(app),        tool::add_completion(app),     tool::add_manual(app)};
  try {
    tool::parse(app, static_cast<int>(arguments.size()), argv.data());
    for (const Verb& verb : verbs)
      if (verb.options->parsed()) verb.run();
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    app.exit(error, out, out);  // --help too
  }
}

}  // namespace
}  // namespace megalith::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace megalith::fuzz;
  static const bool prepared = prepare();
  require(prepared, "the folder of files is there");
  accepts([&] { run(lines(data, size)); });
  return 0;
}
