// SPDX-License-Identifier: Apache-2.0
// megalith eval: what each byte of some files costs under a model.
#include <CLI/CLI.hpp>
#include <bit>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"
#include "megalith/train/corpus.h"
#include "megalith/train/evaluate.h"
#include "options.h"
#include "progress.h"
#include "verb.h"

namespace megalith::tool {
namespace {

struct EvalOptions {
  std::string checkpoint;
  std::vector<std::string> data;
  std::string per_byte;
  int threads = 0;
};

/// The file of --per-byte.
class CostFile {
 public:
  explicit CostFile(const std::string& path) : path_(path), out_(path, std::ios::binary | std::ios::trunc) {
    check(out_.is_open(), "cannot write ", path_, "; choose a file in a folder that exists and can be written to");
  }
  void write(std::span<const float> bits) {
    static_assert(std::endian::native == std::endian::little, "the file is little-endian");
    out_.write(reinterpret_cast<const char*>(bits.data()), static_cast<std::streamsize>(bits.size_bytes()));
    check(out_.good(), "could not write all costs to ", path_, "; is the disk full?");
  }
  void close() {
    out_.close();
    check(out_.good(), "could not write all costs to ", path_, "; is the disk full?");
  }

 private:
  std::string path_;
  std::ofstream out_;
};

int run_eval(const EvalOptions& options) {
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  const Corpus corpus(options.data);
  Workspace workspace(options.threads);
  ProgressDisplay display(stderr);
  std::unique_ptr<CostFile> costs;

  EvaluateConfig config;
  if (!options.per_byte.empty()) {
    costs = std::make_unique<CostFile>(options.per_byte);
    config.costs = [&](const CorpusFile&, std::int64_t, std::span<const float> bits) { costs->write(bits); };
  }
  config.progress = [&](std::int64_t done, std::int64_t total) {
    display.note(text(grouped(done), " of ", grouped(total), " bytes"));
    return Control::go_on;
  };
  const Evaluation result = evaluate(*model, workspace, corpus.all(), config);
  if (costs) costs->close();
  display.finish();

  std::printf("files: %zu\nbytes: %lld\nbits: %.1f\nbits_per_byte: %.6f\n", corpus.files().size(),
              static_cast<long long>(result.bytes), result.bits, result.bits_per_byte());
  return kDone;
}

}  // namespace

Verb add_eval(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("eval", "Measures the bits per byte of files under a model");
  const auto options = std::make_shared<EvalOptions>();
  add_checkpoint(*verb, options->checkpoint);
  verb->add_option("--data", options->data, "Files, or folders that stand for all files under them")
      ->required()
      ->type_name("PATH");
  verb->add_option("--per-byte", options->per_byte,
                   "Writes the cost of every byte in bits, little-endian float32, files in path order")
      ->type_name("FILE");
  add_threads(*verb, options->threads);
  verb->footer("Every file starts afresh and is read in windows of the trained length that do not overlap.\n"
               "The last line is `bits_per_byte: X`.");
  return {verb, [options] { return run_eval(*options); }};
}

}  // namespace megalith::tool
