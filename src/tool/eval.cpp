// SPDX-License-Identifier: Apache-2.0
// megalith eval: what each byte of some files costs under a model.
#include <CLI/CLI.hpp>
#include <bit>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/io/checkpoint.h"
#include "megalith/train/corpus.h"
#include "megalith/train/evaluate.h"
#include "options.h"
#include "progress.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

struct EvalOptions {
  std::string checkpoint;
  std::vector<std::string> data;
  std::string per_byte;
  int threads = 0;
};

/// The file of --per-byte: there once all of it is written, so that a failure leaves no half of it.
class CostFile {
 public:
  /// Refuses a path that is one of the files read.
  CostFile(const std::string& path, const std::string& checkpoint, const Corpus& corpus) {
    const auto refuse_if = [&](const std::filesystem::path& other) {
      std::error_code none;
      check(!std::filesystem::equivalent(path, other, none), "--per-byte ", path, " would overwrite ", other.string(),
            ", which is to be read; choose another file");
    };
    for (const CorpusFile& file : corpus.files()) refuse_if(file.path);
    refuse_if(checkpoint);
    refuse_if(std::filesystem::path(checkpoint) / "model.safetensors");
    file_.emplace(path);
  }
  void write(std::span<const float> bits) {
    static_assert(std::endian::native == std::endian::little, "the file is little-endian");
    file_->write(std::as_bytes(bits));
  }
  void close() { file_->commit(); }

 private:
  std::optional<AtomicFile> file_;
};

int run_eval(const EvalOptions& options) {
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  const Corpus corpus(options.data);
  Workspace workspace(options.threads);
  ProgressDisplay display(stderr);
  std::unique_ptr<CostFile> costs;

  EvaluateConfig config;
  if (!options.per_byte.empty()) {
    costs = std::make_unique<CostFile>(options.per_byte, options.checkpoint, corpus);
    config.costs = [&](const CorpusFile&, std::int64_t, std::span<const float> bits) { costs->write(bits); };
  }
  say_what_computes(options.threads);
  config.progress = [&](std::int64_t done, std::int64_t total) {
    display.note(text(grouped(done), " of ", grouped(total), " bytes"));
    return Control::go_on;
  };
  const Evaluation result = evaluate(*model, workspace, corpus.all(), config);
  check(std::isfinite(result.bits), "the model gives costs that are not finite numbers; its weights in ", options.checkpoint,
        " are damaged");
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
  verb->footer(
      "Every file starts afresh and is read in windows of the trained length that do not overlap.\n"
      "The last line is `bits_per_byte: X`.");
  return {verb, [options] { return run_eval(*options); }};
}

}  // namespace megalith::tool
