// SPDX-License-Identifier: Apache-2.0
// What main.cpp knows of a verb. One file per verb: train.cpp, eval.cpp and so on.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace megalith::tool {

/// Exit codes. Wrong usage is what can be seen from the options alone.
/// A verb that a signal stopped gives InterruptWatch::exit_code().
enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2 };

struct Verb {
  CLI::App* options = nullptr;  // belongs to the app that it was added to
  std::function<int()> run;  // with what was parsed; gives the exit code. Throws Error, or CLI::ParseError for wrong usage
};

/// `program` is how the user called the tool, for the commands that it suggests.
Verb add_train(CLI::App& app, const std::string& program);
Verb add_eval(CLI::App& app);
Verb add_generate(CLI::App& app);
Verb add_classify(CLI::App& app);
Verb add_embed(CLI::App& app);
Verb add_raw(CLI::App& app);
Verb add_show(CLI::App& app);
Verb add_models(CLI::App& app);
Verb add_info(CLI::App& app);
Verb add_flops(CLI::App& app);
Verb add_completion(CLI::App& app);
Verb add_manual(CLI::App& app);

}  // namespace megalith::tool
