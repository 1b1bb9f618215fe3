// SPDX-License-Identifier: Apache-2.0
// What the verbs' options share: ranges that the parser checks, and the options that several verbs have.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace megalith::tool {

/// Accepts whole numbers within [least, most]. CLI11 alone takes -1 for the largest unsigned number, and cuts those that do
/// not fit.
CLI::Validator whole_number(std::uint64_t least,
                            std::uint64_t most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));

/// Accepts finite numbers x for which `holds(x)`; `range` says which these are, as in "above 0".
CLI::Validator number(bool (*holds)(double), std::string_view range);

CLI::Validator positive_number();   // above 0
CLI::Validator number_from_zero();  // at least 0
CLI::Validator share_below_one();   // at least 0 and below 1

/// The finite number that the whole of a text is, as 2, 0.5 or 1e3; nothing where it is none.
std::optional<double> decimal_number(const std::string& given);

/// Accepts what a seed may be.
inline CLI::Validator seed() { return whole_number(0, std::numeric_limits<std::uint64_t>::max()); }

/// --threads, default_threads() unless it is given.
CLI::Option* add_threads(CLI::App& verb, int& threads);
/// The run directory or checkpoint that a verb reads.
CLI::Option* add_checkpoint(CLI::App& verb, std::string& run_dir_or_file);

}  // namespace megalith::tool
