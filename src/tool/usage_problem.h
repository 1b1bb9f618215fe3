// SPDX-License-Identifier: Apache-2.0
// Sentences about options that cannot be understood.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace megalith::tool {

/// What is wrong with a command line, in one sentence that names the option and what to do, where the parser says only that
/// something is.
std::string usage_problem(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv);

}  // namespace megalith::tool
