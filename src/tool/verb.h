// SPDX-License-Identifier: Apache-2.0
// What main.cpp knows of a verb. One file per verb: train.cpp, eval.cpp, generate.cpp, models.cpp.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace megalith::tool {

/// What the shell sees. Wrong usage is everything that the options alone tell.
enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2, kInterrupted = 130 };

struct Verb {
  CLI::App* options = nullptr;  // belongs to the app that it was added to
  std::function<int()> run;  // with what was parsed; gives the exit code. Throws Error, or CLI::ParseError for wrong usage
};

Verb add_train(CLI::App& app);
Verb add_eval(CLI::App& app);
Verb add_generate(CLI::App& app);
Verb add_models(CLI::App& app);

}  // namespace megalith::tool
