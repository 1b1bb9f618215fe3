// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <charconv>
#include <cmath>

#include "megalith/core/check.h"
#include "megalith/runtime/parallel.h"
#include "megalith/runtime/processors.h"

namespace megalith::tool {
namespace {

/// The whole of a text as a number, or false.
template <class N>
bool parse(const std::string& from, N& to) {
  const char* const end = from.data() + from.size();
  const auto [stop, problem] = std::from_chars(from.data(), end, to);
  return problem == std::errc{} && stop == end;
}

}  // namespace

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  const bool open = most >= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::string range = open ? text("of at least ", least) : text("from ", least, " to ", most);
  return {[=](std::string& given) {
            std::uint64_t n = 0;
            const char* const end = given.data() + given.size();
            const auto [stop, problem] = std::from_chars(given.data(), end, n);
            const bool whole = stop == end && problem != std::errc::invalid_argument;
            const bool too_large = problem == std::errc::result_out_of_range || n > most;
            if (whole && !too_large && n >= least) {
              given = std::to_string(n);  // without leading zeros, with which CLI11 would take it for octal
              return std::string();
            }
            if (whole && too_large && open) return text("'", given, "' is more than the largest number there is, ", most);
            return text("'", given, "' is not a whole number ", range);
          },
          ""};
}

std::optional<double> decimal_number(const std::string& given) {
  double x = 0;
  return parse(given, x) && std::isfinite(x) ? std::optional(x) : std::nullopt;
}

CLI::Validator number(bool (*holds)(double), std::string_view range) {
  return {[=](std::string& given) {
            const std::optional<double> x = decimal_number(given);
            if (x && holds(*x)) return std::string();
            return text("'", given, "' is not a number ", range);
          },
          ""};
}

CLI::Validator positive_number() {
  return number([](double x) { return x > 0; }, "above 0");
}

CLI::Validator number_from_zero() {
  return number([](double x) { return x >= 0; }, "of at least 0");
}

CLI::Validator share_below_one() {
  return number([](double x) { return x >= 0 && x < 1; }, "of at least 0 and below 1");
}

CLI::Option* add_threads(CLI::App& verb, int& threads) {
  threads = default_threads();
  return verb
      .add_option("--threads", threads,
                  "Threads; the result does not depend on them [OMP_NUM_THREADS, else one for each physical core]")
      ->transform(whole_number(1, Team::kMaxThreads))
      ->type_name("N");
}

CLI::Option* add_checkpoint(CLI::App& verb, std::string& run_dir_or_file) {
  return verb.add_option("run", run_dir_or_file, "A run directory, or a checkpoint file")
      ->required()
      ->type_name("RUN_DIR|CHECKPOINT");
}

}  // namespace megalith::tool
