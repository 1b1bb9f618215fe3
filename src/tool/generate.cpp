// SPDX-License-Identifier: Apache-2.0
// megalith generate: bytes from a model, to standard output, where nothing else goes, or several samples to files.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "generate_options.h"
#include "interrupt.h"
#include "megalith/core/check.h"
#include "megalith/generate/generator.h"
#include "megalith/generate/stop_strings.h"
#include "megalith/io/checkpoint.h"
#include "samples.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

/// Writes to standard output at once: somebody may be reading along. False when the reader is gone, who then has all that it
/// wanted, as `head` does; the watch for signals keeps that from ending the process.
bool put(std::string_view bytes) {
  if (bytes.empty()) return true;  // held back: they may begin a stop string
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0) return true;
  check(errno == EPIPE, "could not write to standard output");
  std::clearerr(stdout);
  return false;
}

void write_to_output(const AnyModel& model, const Scan& scan, const std::string& prompt, const GenerateOptions& options) {
  Generator generator(model, options.sampling, options.threads);
  say_what_computes(options.threads);
  generator.prompt(prompt);
  StopStrings stop(options.stop);
  FileOrder<std::uint8_t> order(scan, std::ssize(prompt));
  for (std::int64_t i = 0; i < options.bytes && !stop.stopped(); ++i) {
    const std::uint8_t next = generator.next();
    for (const std::uint8_t byte : order.add({&next, 1}))
      if (!put(stop.next(byte))) return;
  }
  put(stop.rest());
}

int run_generate(const GenerateOptions& options) {
  const InterruptWatch watch;  // before there are other threads
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  const Scan scan(model->record());
  const std::string prompt = read_prompt(options, scan);
  if (options.samples > 0) write_samples(*model, scan, prompt, options);
  else write_to_output(*model, scan, prompt, options);
  return kDone;
}

}  // namespace

Verb add_generate(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("generate", "Generates bytes, to standard output or to files");
  const auto options = std::make_shared<GenerateOptions>();
  add_options(*verb, *options);
  return {verb, [options] { return run_generate(*options); }};
}

}  // namespace megalith::tool
