// SPDX-License-Identifier: Apache-2.0
// megalith generate: bytes from a model, to standard output, and nothing else goes there.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "megalith/core/check.h"
#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"
#include "options.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

struct GenerateOptions {
  std::string checkpoint;
  std::int64_t bytes = 0;
  std::string prompt, prompt_file;
  SamplingConfig sampling;
  int threads = 0;
};

std::string read_all(std::istream& in, const std::string& name) {
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  check(!in.bad(), "could not read the prompt from ", name);
  return bytes;
}

std::string read_prompt(const GenerateOptions& options) {
  if (options.prompt_file.empty()) return options.prompt;
  if (options.prompt_file == "-") return read_all(std::cin, "standard input");
  std::ifstream in(options.prompt_file, std::ios::binary);
  check(in.is_open() && in.peek() != std::ifstream::traits_type::eof(), "cannot read a prompt from ", options.prompt_file,
        "; name a file that exists and is not empty, or - for standard input");
  return read_all(in, options.prompt_file);
}

int run_generate(const GenerateOptions& options) {
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  Generator generator(*model, options.sampling, options.threads);
  const std::string prompt = read_prompt(options);
  say_what_computes(options.threads);
  generator.prompt(prompt);
  for (std::int64_t i = 0; i < options.bytes; ++i) {
    std::fputc(generator.next(), stdout);
    // Each byte as it comes: somebody may be reading along.
    check(std::fflush(stdout) == 0, "could not write to standard output");
  }
  return kDone;
}

}  // namespace

Verb add_generate(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("generate", "Generates bytes, to standard output");
  const auto options = std::make_shared<GenerateOptions>();
  SamplingConfig& sampling = options->sampling;
  add_checkpoint(*verb, options->checkpoint);
  verb->add_option("--bytes", options->bytes, "How many bytes to generate")
      ->required()
      ->check(whole_number(0))
      ->type_name("N");
  CLI::Option* prompt =
      verb->add_option("--prompt", options->prompt, "What the bytes continue; it is not printed")->type_name("TEXT");
  verb->add_option("--prompt-file", options->prompt_file, "The same from a file, or from standard input with -")
      ->type_name("FILE|-")
      ->excludes(prompt);
  verb->add_option("--temperature", sampling.temperature,
                   "Below 1 more of the likely, above 1 more of the rare; 0 takes the likeliest byte")
      ->check(number_from_zero())
      ->capture_default_str()
      ->type_name("X");
  verb->add_option("--top-k", sampling.top_k, "Only the N most likely bytes; 0 means all")
      ->check(whole_number(0, 256))
      ->capture_default_str()
      ->type_name("N");
  verb->add_option("--top-p", sampling.top_p, "Only the likeliest bytes that together reach this probability")
      ->check(number([](double x) { return x > 0 && x <= 1; }, "above 0 and at most 1"))
      ->capture_default_str()
      ->type_name("X");
  verb->add_option("--min-p", sampling.min_p, "Only bytes at least this likely relative to the likeliest")
      ->check(number([](double x) { return x >= 0 && x <= 1; }, "from 0 to 1"))
      ->capture_default_str()
      ->type_name("X");
  verb->add_option("--seed", sampling.seed, "The same seed gives the same bytes")
      ->check(whole_number(0))
      ->capture_default_str()
      ->type_name("N");
  add_threads(*verb, options->threads);
  return {verb, [options] { return run_generate(*options); }};
}

}  // namespace megalith::tool
