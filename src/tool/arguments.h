// SPDX-License-Identifier: Apache-2.0
// Command lines whose values reach the verbs as they were given, whatever they look like.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace megalith::tool {

/// Parses a command line, the program's name first. CLI11 alone takes the next argument for the value of `--prompt=`, and
/// cuts one like `[a,b]` into two. Refuses empty values where a path or a name is meant. Throws CLI::ParseError.
void parse(CLI::App& app, int argc, const char* const* argv);

/// An argument that nobody took, as it was given.
std::string as_given(const std::string& left);

}  // namespace megalith::tool
