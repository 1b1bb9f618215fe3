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
#include "byte_input.h"
#include "data_options.h"
#include "eval_report.h"
#include "interrupt.h"
#include "line_bits.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/io/checkpoint.h"
#include "megalith/score/scorer.h"
#include "megalith/train/corpus.h"
#include "megalith/train/evaluate.h"
#include "options.h"
#include "output_path.h"
#include "progress.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::grouped, page::SurpriseMap;

constexpr std::int64_t kShownBytes = 100'000;  // a page of about 3 MB, or of 5 where they are no text

struct EvalOptions {
  std::string checkpoint;
  DataOptions data;
  std::string per_byte, html, lines;
  std::int64_t html_bytes = kShownBytes, stride = 0;
  bool compare = false, json = false;
  int threads = 0;
};

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

/// Where surprisals go: files, a page, lines, and the sums that are printed at the end.
class Outputs {
 public:
  /// What cannot be written is known before the work.
  Outputs(const EvalOptions& options, const Corpus* corpus) : map_(options.html_bytes) {
    const auto whole = [](const std::string& path) { return std::filesystem::weakly_canonical(path); };
    check(options.html.empty() || options.per_byte.empty() || whole(options.html) != whole(options.per_byte),
          "--html and --per-byte name the same file ", options.html);
    if (!options.per_byte.empty()) {
      check_is_no_input("--per-byte", options.per_byte, options.checkpoint, corpus);
      losses_ = std::make_unique<SurprisalFile>(options.per_byte);
    }
    if (!options.html.empty()) {
      check_is_no_input("--html", options.html, options.checkpoint, corpus);
      page_ = std::make_unique<AtomicFile>(options.html);
    }
    if (!options.lines.empty()) lines_.emplace(options.json);
  }

  /// Whether take() is to get the bytes beside their bits.
  bool needs_bytes() const { return lines_ || (page_ && !map_.full()); }

  /// Surprisals of consecutive bytes of a file that begins at `file` in the data.
  void take(const std::string& path, std::int64_t file, std::int64_t offset, std::span<const std::uint8_t> bytes,
            std::span<const float> bits) {
    FileBits& result = files_[file];
    result.path = path;
    result.bytes += std::ssize(bits);
    for (const float b : bits) result.bits += static_cast<double>(b);
    if (losses_) losses_->write(bits);
    if (page_ && !map_.full()) map_.add(path, offset, bytes, bits);
    if (lines_) lines_->add(path, offset, bytes, bits);
  }

  /// Whether anybody wants more of them: whoever reads the lines may leave.
  bool wanted() { return !lines_ || lines_->send() || losses_ || page_; }

  /// Once all was taken. Throws Error where surprisals are no finite numbers.
  EvalBits finish(const EvalOptions& options) {
    EvalBits all;
    for (const auto& [file, result] : files_) {
      all.files.push_back(result);
      all.bytes += result.bytes;
      all.bits += result.bits;
    }
    check(std::isfinite(all.bits), "the losses of the model are not finite numbers; its weights in ", options.checkpoint,
          " are damaged");
    if (lines_) {
      lines_->finish();
      lines_->send();
    }
    if (losses_) losses_->close();
    if (page_) {
      page_->write(map_.html(options.checkpoint, all.bytes, all.bits / static_cast<double>(all.bytes)));
      page_->commit();
    }
    return all;
  }

 private:
  std::unique_ptr<SurprisalFile> losses_;
  std::unique_ptr<AtomicFile> page_;
  SurpriseMap map_;
  std::optional<LineBits> lines_;
  std::map<std::int64_t, FileBits> files_;  // by where the file begins: one may be named twice
};

/// Standard input, as it comes. The name of its only file is "-".
void score_input(InputPieces& input, const AnyModel& model, Workspace& workspace, const EvalOptions& options, Index stride,
                 Outputs& outputs, ProgressDisplay& display) {
  const std::string name = "-";
  const SurprisalSink sink = [&](const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes,
                                 std::span<const float> bits) { outputs.take(path, 0, offset, bytes, bits); };
  std::optional<Scorer> scorer;
  std::optional<LoneLines> alone;
  if (options.lines == "alone") alone.emplace(model, workspace, sink);
  else scorer.emplace(model, ScorerConfig{stride, options.threads});
  std::int64_t done = 0;
  for (; !input.piece().empty(); input.next()) {
    if (alone) alone->add(name, input.text());
    else sink(name, done, input.piece(), scorer->feed(input.piece()));
    done += std::ssize(input.piece());
    display.note(text(grouped(done), " bytes"));
    if (!outputs.wanted()) return;
  }
  if (alone) alone->end(name);
}

/// The files of a corpus, line by line, each line by itself.
void score_lone_lines(const AnyModel& model, Workspace& workspace, const Corpus& corpus, Outputs& outputs,
                      ProgressDisplay& display) {
  const CorpusFile* file = nullptr;
  LoneLines lines(model, workspace,
                  [&](const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes,
                      std::span<const float> bits) { outputs.take(path, file->offset, offset, bytes, bits); });
  std::vector<std::uint8_t> piece;
  for (const CorpusFile& each : corpus.files()) {
    file = &each;
    for (std::int64_t at = 0; at < each.size; at += std::ssize(piece)) {
      piece.resize(static_cast<std::size_t>(std::min<std::int64_t>(each.size - at, 1 << 18)));
      corpus.read(each.offset + at, piece);
      lines.add(each.path, {reinterpret_cast<const char*>(piece.data()), piece.size()});
      display.note(text(grouped(each.offset + at), " of ", grouped(corpus.size()), " bytes"));
      if (!outputs.wanted()) return;
    }
    lines.end(each.path);
  }
}

/// The files of a corpus, each read on from its start.
void score_files(const AnyModel& model, Workspace& workspace, const Corpus& corpus, Index stride, Outputs& outputs,
                 ProgressDisplay& display) {
  EvaluateConfig config;
  config.stride = stride;
  config.losses = [&](const CorpusFile& file, std::int64_t offset, std::span<const float> bits) {
    std::vector<std::uint8_t> bytes(outputs.needs_bytes() ? bits.size() : 0);
    if (!bytes.empty()) corpus.read(file.offset + offset, bytes);
    outputs.take(file.path, file.offset, offset, bytes, bits);
  };
  config.progress = [&](std::int64_t done, std::int64_t total) {
    display.note(text(grouped(done), " of ", grouped(total), " bytes"));
    return outputs.wanted() ? Control::go_on : Control::stop;
  };
  evaluate(model, workspace, corpus.all(), config);
}

int run_eval(const EvalOptions& options) {
  std::optional<InterruptWatch> watch(std::in_place);  // before there are other threads
  const bool from_input = reads_standard_input(options.data.paths);
  check(!from_input || !options.compare,
        "--compare gives files to other programs, and standard input is none; write it to a file");
  std::optional<Corpus> corpus;
  if (!from_input) corpus.emplace(options.data.corpus());
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  Workspace workspace(options.threads);
  // Lines are read in context: the windows slide, so that a line at the start of one has bytes before it in view.
  const bool slides = options.lines == "context" && options.stride == 0;
  const Index stride = slides               ? SlidingWindow::of(*model).stride
                       : options.stride > 0 ? options.stride
                                            : model->summary().predicted(model->max_length().value_or(0));
  (void)SlidingWindow::of(*model, stride);  // says what is wrong with it
  Outputs outputs(options, corpus ? &*corpus : nullptr);
  std::optional<InputPieces> input;
  if (from_input) input.emplace("measure");
  say_what_computes(options.threads);
  ProgressDisplay display(stderr);
  if (input) score_input(*input, *model, workspace, options, stride, outputs, display);
  else if (options.lines == "alone") score_lone_lines(*model, workspace, *corpus, outputs, display);
  else score_files(*model, workspace, *corpus, stride, outputs, display);
  if (!outputs.wanted()) return kDone;  // the reader has all that it wanted
  const EvalBits result = outputs.finish(options);
  display.finish();
  watch.reset();  // all files are finished; a reader of what is printed may leave

  if (!options.lines.empty()) std::fprintf(stderr, "bits_per_byte: %.6f\n", result.bits_per_byte());
  else if (options.json) print_json(result, options.compare);
  else print_table(result, options.compare);
  return kDone;
}

}  // namespace

Verb add_eval(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("eval", "Measures the bits per byte of files under a model");
  const auto options = std::make_shared<EvalOptions>();
  add_checkpoint(*verb, options->checkpoint);
  add_data(*verb, options->data);
  verb->add_option("--per-byte", options->per_byte,
                   "Writes the surprisal of every byte in bits, little-endian float32, files in path order")
      ->type_name("FILE");
  verb->add_option("--html", options->html,
                   "Writes a page that colours text, or other bytes in hexadecimal, by what surprises the model")
      ->type_name("FILE");
  verb->add_option("--html-bytes", options->html_bytes, "How many bytes the page shows")
      ->transform(whole_number(1, 10'000'000))
      ->capture_default_str()
      ->type_name("N");
  verb->add_flag("--compare", options->compare, "Shows beside each file its bits per byte under gzip -9 and xz -9e");
  verb->add_option("--lines", options->lines,
                   "Prints the bits of each line instead, read in the context of its file, or alone [context]")
      ->expected(0, 1)
      ->check(CLI::Validator(
          [](std::string& how) {
            const bool known = how == "context" || how == "alone";
            return known ? "" : text("'", how, "' is neither context nor alone");
          },
          ""))
      ->type_name("context|alone");
  verb->add_option(
          "--stride", options->stride,
          "Bytes from the start of a window to that of the next [what training predicts of a window: its length, of most "
          "models; half of it with --lines]")
      ->transform(whole_number(1))
      ->type_name("N");
  verb->add_flag("--json", options->json, "Prints JSON: one object, or with --lines one for each line");
  add_threads(*verb, options->threads);
  verb->footer(
      "Every file starts afresh and is read in windows of the trained length, which do not overlap unless --stride says "
      "so,\nor training predicts the ends of windows alone.\n"
      "A line for each file comes first. The last line is `bits_per_byte: X`, over all of them.\n"
      "With --lines, a line is printed for each line: bits, bits per byte, FILE:LINE and its text, with tabs between.\n"
      "The last line of standard error is `bits_per_byte: X` then. The strangest lines: --lines | sort -rn | head");
  return {verb, [options] { return run_eval(*options); }};
}

}  // namespace megalith::tool
