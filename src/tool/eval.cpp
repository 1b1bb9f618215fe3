// SPDX-License-Identifier: Apache-2.0
// megalith eval: how well a model predicts files, as bits per byte and as the surprisal of each byte.
#include <CLI/CLI.hpp>
#include <bit>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../page/numbers.h"
#include "../page/surprise_map.h"
#include "../page/utf8.h"
#include "compressors.h"
#include "interrupt.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/run_names.h"
#include "megalith/train/corpus.h"
#include "megalith/train/evaluate.h"
#include "options.h"
#include "progress.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::grouped, page::one_line, page::SurpriseMap;

constexpr std::int64_t kShownBytes = 100'000;  // a page of about 5 MB

struct EvalOptions {
  std::string checkpoint;
  std::vector<std::string> data;
  std::string per_byte, html;
  std::int64_t html_bytes = kShownBytes;
  bool compare = false;
  int threads = 0;
};

/// Refuses to overwrite what is to be read.
void check_is_no_input(const char* option, const std::string& path, const std::string& checkpoint, const Corpus& corpus) {
  const auto refuse_if = [&](const std::filesystem::path& other) {
    std::error_code none;
    check(!std::filesystem::equivalent(path, other, none), option, " ", path, " would overwrite ", other.string(),
          ", which is read or belongs to the run; choose another file");
  };
  for (const CorpusFile& file : corpus.files()) refuse_if(file.path);
  refuse_if(checkpoint);
  for (const std::string_view name : run_names::kAll) refuse_if(std::filesystem::path(checkpoint) / name);
}

/// The file of --per-byte. It appears once all of it is written, so that a failure leaves no half of it.
class SurprisalFile {
 public:
  explicit SurprisalFile(const std::string& path) : file_(path) {}
  void write(std::span<const float> bits) {
    static_assert(std::endian::native == std::endian::little, "the file is little-endian");
    file_.write(std::as_bytes(bits));
  }
  void close() { file_.commit(); }

 private:
  AtomicFile file_;
};

double bits_per_byte(double bits, std::int64_t bytes) { return bits / static_cast<double>(bytes); }

/// A line for each file, with the bits per byte of the compressors where asked for, and the totals of these.
void print_files(const Corpus& corpus, const std::map<std::int64_t, double>& bits, bool compare) {
  std::vector<Compressor> programs;
  std::vector<double> totals;
  std::printf("%9s  %13s", "bits/byte", "bytes");
  for (const Compressor& program : compare ? compressors() : programs) {
    programs.push_back(program);
    std::printf("  %8s", program.name.c_str());
  }
  std::printf("  file\n");
  totals.resize(programs.size());
  for (const CorpusFile& file : corpus.files()) {
    std::printf("%9.4f  %13s", bits_per_byte(bits.at(file.offset), file.size), grouped(file.size).c_str());
    for (std::size_t i = 0; i < programs.size(); ++i) {
      const std::optional<std::int64_t> bytes = compressed_bytes(programs[i], file.path);
      totals[i] += bytes ? 8 * static_cast<double>(*bytes) : NAN;
      if (bytes) std::printf("  %8.4f", bits_per_byte(8 * static_cast<double>(*bytes), file.size));
      else std::printf("  %8s", "-");
    }
    std::printf("  %s\n", one_line(file.path).c_str());
  }
  for (std::size_t i = 0; i < programs.size(); ++i)
    if (std::isnan(totals[i]))
      std::printf("%s: %s is not installed\n", programs[i].name.c_str(), programs[i].command[0].c_str());
    else std::printf("%s: %.6f\n", programs[i].name.c_str(), bits_per_byte(totals[i], corpus.size()));
}

int run_eval(const EvalOptions& options) {
  std::optional<InterruptWatch> watch(std::in_place);  // before there are other threads
  for (const std::string& path : options.data)
    check(path != "-" || std::filesystem::exists(path),
          "--data - would be standard input, and eval reads files; write the bytes ",
          "to a file and name that, or ./- for a file of that name");
  const Corpus corpus(options.data);
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  Workspace workspace(options.threads);
  ProgressDisplay display(stderr);
  std::unique_ptr<SurprisalFile> losses;
  std::unique_ptr<AtomicFile> page;
  SurpriseMap map(options.html_bytes);
  std::map<std::int64_t, double> bits_of;  // of each file, by its offset: one may be named twice

  const auto whole = [](const std::string& path) { return std::filesystem::weakly_canonical(path); };
  check(options.html.empty() || options.per_byte.empty() || whole(options.html) != whole(options.per_byte),
        "--html and --per-byte name the same file ", options.html);
  if (!options.per_byte.empty()) {
    check_is_no_input("--per-byte", options.per_byte, options.checkpoint, corpus);
    losses = std::make_unique<SurprisalFile>(options.per_byte);
  }
  if (!options.html.empty()) {
    check_is_no_input("--html", options.html, options.checkpoint, corpus);
    page = std::make_unique<AtomicFile>(options.html);  // what cannot be written is known before the work
  }
  say_what_computes(options.threads);
  EvaluateConfig config;
  config.losses = [&](const CorpusFile& file, std::int64_t offset, std::span<const float> bits) {
    for (const float b : bits) bits_of[file.offset] += static_cast<double>(b);
    if (losses) losses->write(bits);
    if (!page || map.full()) return;
    std::vector<std::uint8_t> bytes(bits.size());
    corpus.read(file.offset + offset, bytes);
    map.add(file.path, offset, bytes, bits);
  };
  config.progress = [&](std::int64_t done, std::int64_t total) {
    display.note(text(grouped(done), " of ", grouped(total), " bytes"));
    return Control::go_on;
  };
  const Evaluation result = evaluate(*model, workspace, corpus.all(), config);
  check(std::isfinite(result.bits), "the losses of the model are not finite numbers; its weights in ", options.checkpoint,
        " are damaged");
  if (losses) losses->close();
  if (page) {
    page->write(map.html(options.checkpoint, result.bytes, result.bits_per_byte()));
    page->commit();
  }
  display.finish();
  watch.reset();  // all files are finished; a reader of what is printed may leave

  print_files(corpus, bits_of, options.compare);
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
                   "Writes the surprisal of every byte in bits, little-endian float32, files in path order")
      ->type_name("FILE");
  verb->add_option("--html", options->html, "Writes a page that colours the text by what surprises the model")
      ->type_name("FILE");
  verb->add_option("--html-bytes", options->html_bytes, "How many bytes the page shows")
      ->transform(whole_number(1, 10'000'000))
      ->capture_default_str()
      ->type_name("N");
  verb->add_flag("--compare", options->compare, "Shows beside each file its bits per byte under gzip -9 and xz -9e");
  add_threads(*verb, options->threads);
  verb->footer(
      "Every file starts afresh and is read in windows of the trained length that do not overlap.\n"
      "A line for each file comes first. The last line is `bits_per_byte: X`, over all of them.");
  return {verb, [options] { return run_eval(*options); }};
}

}  // namespace megalith::tool
