// SPDX-License-Identifier: Apache-2.0
#include "generate_options.h"

#include <unistd.h>

#include <charconv>

#include "megalith/core/check.h"
#include "megalith/generate/stop_strings.h"
#include "options.h"
#include "read_bytes.h"

namespace megalith::tool {
namespace {

/// The byte that stands behind a backslash at `at`, which moves on behind it; -1 where there is no such escape.
int escaped_byte(const std::string& text, std::size_t& at) {
  constexpr std::string_view kNames = "ntr0\\", kBytes("\n\t\r\0\\", 5);
  if (at >= text.size()) return -1;
  const char name = text[at++];
  if (const std::size_t i = kNames.find(name); i != std::string_view::npos) return kBytes[i];
  std::uint8_t byte = 0;  // without a sign, so that "-0" is refused
  if (name != 'x' || at + 2 > text.size()) return -1;
  const char* const begin = text.data() + at;
  if (std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) return -1;
  at += 2;
  return byte;
}

/// Replaces \n, \t, \r, \0, \\ and \xHH by the bytes that they stand for, and accepts what StopStrings does.
CLI::Validator stop_string() {
  return {[](std::string& given) {
            std::string bytes;
            for (std::size_t at = 0; at < given.size();) {
              if (given[at] != '\\') {
                bytes += given[at++];
                continue;
              }
              const int byte = escaped_byte(given, ++at);
              if (byte < 0) return text("'", given, "' has a backslash before something else than n, t, r, 0, xHH or \\");
              bytes += static_cast<char>(byte);
            }
            if (bytes.empty() || bytes.size() > StopStrings::kMaxLength)
              return text("'", given, "' has ", bytes.size(), " bytes, and may have from 1 to ", StopStrings::kMaxLength);
            given = bytes;
            return std::string();
          },
          ""};
}

void add_sampling(CLI::App& verb, SamplingConfig& sampling) {
  verb.add_option("--repetition-penalty", sampling.repetition_penalty,
                  "Above 1, fewer of the byte values that came lately: divides their logits (multiplies negative ones)")
      ->check(number([](double x) { return x >= 0.01 && x <= 100; }, "from 0.01 to 100"))
      ->capture_default_str()
      ->type_name("X");
  verb.add_option("--repetition-window", sampling.repetition_window,
                  "How many bytes back the penalty looks, prompt included")
      ->transform(whole_number(1, SamplingConfig::kMaxRepetition))
      ->capture_default_str()
      ->type_name("N");
  verb.add_option("--temperature", sampling.temperature,
                  "Below 1 more of the likely, above 1 more of the rare; 0 takes the likeliest byte")
      ->check(number_from_zero())
      ->capture_default_str()
      ->type_name("X");
  verb.add_option("--top-k", sampling.top_k, "Only the N most likely bytes; 0 means all")
      ->transform(whole_number(0, 256))
      ->capture_default_str()
      ->type_name("N");
  verb.add_option("--top-p", sampling.top_p, "Only the likeliest bytes that together reach this probability")
      ->check(number([](double x) { return x > 0 && x <= 1; }, "above 0 and at most 1"))
      ->capture_default_str()
      ->type_name("X");
  verb.add_option("--min-p", sampling.min_p, "Only bytes at least this likely relative to the likeliest")
      ->check(number([](double x) { return x >= 0 && x <= 1; }, "from 0 to 1"))
      ->capture_default_str()
      ->type_name("X");
  verb.add_option("--seed", sampling.seed, "The same seed gives the same bytes")
      ->transform(seed())
      ->capture_default_str()
      ->type_name("N");
}

}  // namespace

void add_options(CLI::App& verb, GenerateOptions& options) {
  add_checkpoint(verb, options.checkpoint);
  verb.add_option("--bytes", options.bytes, "How many bytes to generate, at most")
      ->required()
      ->transform(whole_number(0))
      ->type_name("N");
  CLI::Option* prompt =
      verb.add_option("--prompt", options.prompt, "What the bytes continue; it is not printed")->type_name("TEXT");
  verb.add_option("--prompt-file", options.prompt_file, "The same from a file, or from standard input with -")
      ->type_name("FILE|-")
      ->excludes(prompt);
  verb.add_option(
          "--stop", options.stop,
          "Ends before this text would come; may be given several times. \\n, \\t, \\r, \\0, \\\\ and \\xHH are bytes")
      ->allow_extra_args(false)
      ->transform(stop_string())
      ->type_name("TEXT");
  add_sampling(verb, options.sampling);
  CLI::Option* samples =
      verb.add_option("--samples", options.samples, "Number of samples, each to its own file; needs --out")
          ->transform(whole_number(1, kMaxSamples))
          ->type_name("N");
  CLI::Option* out = verb.add_option("--out", options.out, "Where samples go: PREFIX-0001.bin, PREFIX-0002.bin and so on")
                         ->needs(samples)
                         ->type_name("PREFIX");
  samples->needs(out);
  verb.add_flag("--force", options.force, "Overwrites such files where they exist")->needs(out);
  add_threads(verb, options.threads);
  verb.footer(
      "Sample 1 has the bytes that standard output would get. A sample depends on the seed and its number alone.\n"
      "A model of pictures that reads them tile by tile (train --scan) writes whole rows of tiles, in the order of files:\n"
      "--bytes and the prompt must be such.");
}

static std::string read_prompt(const GenerateOptions& options) {
  if (options.prompt_file.empty()) return options.prompt;
  if (options.prompt_file == "-") return read_all(STDIN_FILENO, "standard input", kMaxPrompt);
  const std::string prompt = read_all(options.prompt_file, kMaxPrompt);
  check(!prompt.empty(), "the file of the prompt, ", options.prompt_file,
        ", is empty; leave --prompt-file out to begin anew");
  return prompt;
}

std::string read_prompt(const GenerateOptions& options, const Scan& scan) {
  check(options.stop.empty() || scan.keeps_order(),
        "--stop looks for text as it is written, and this model writes records in another order; leave it out");
  scan.check_whole("what --bytes asks for", options.bytes);
  const std::string prompt = read_prompt(options);
  const auto ordered =
      scan.to_model("the prompt", std::span(reinterpret_cast<const std::uint8_t*>(prompt.data()), prompt.size()));
  return {ordered.begin(), ordered.end()};
}

}  // namespace megalith::tool
