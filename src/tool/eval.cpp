// SPDX-License-Identifier: Apache-2.0
// megalith eval: how well a model predicts files, as bits per byte and as the surprisal of each byte.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../page/numbers.h"
#include "byte_input.h"
#include "eval_outputs.h"
#include "interrupt.h"
#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"
#include "megalith/score/scorer.h"
#include "megalith/train/corpus.h"
#include "megalith/train/evaluate.h"
#include "options.h"
#include "progress.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::grouped;

/// Standard input, as it comes. The name of its only file is "-".
void score_input(InputPieces& input, const AnyModel& model, Workspace& workspace, const EvalOptions& options, Index stride,
                 EvalOutputs& outputs, ProgressDisplay& display) {
  const std::string name = "-";
  const SurprisalSink sink = [&](const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes,
                                 std::span<const float> bits) { outputs.take(path, 0, offset, bytes, bits); };
  std::optional<Scorer> scorer;
  std::optional<LoneLines> alone;
  if (options.lines == "alone") alone.emplace(model, workspace, sink);
  else scorer.emplace(model, ScorerConfig{stride, options.threads});
  std::int64_t done = 0;
  for (; !input.piece().empty(); input.next()) {
    const std::size_t rest = input.piece().size() % input.multiple();  // of the last piece alone
    const auto whole = input.piece().first(input.piece().size() - rest);
    outputs.leave_out(static_cast<std::int64_t>(rest));
    if (alone) alone->add(name, input.text());
    else if (!whole.empty()) sink(name, done, whole, scorer->feed(whole));
    done += std::ssize(whole);
    display.note(text(grouped(done), " bytes"));
    if (!outputs.wanted()) return;
  }
  check(done > 0, "standard input has no whole record of ", input.multiple(), " bytes");
  if (alone) alone->end(name);
}

/// The files of a corpus, line by line, each line by itself.
void score_lone_lines(const AnyModel& model, Workspace& workspace, const Corpus& corpus, EvalOutputs& outputs,
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
void score_files(const AnyModel& model, Workspace& workspace, const Corpus& corpus, const EvalOptions& options, Index stride,
                 EvalOutputs& outputs, ProgressDisplay& display) {
  EvaluateConfig config;
  config.stride = stride;
  config.strided = options.strided;
  config.stream = options.stream;
  config.losses = [&](const CorpusFile& file, std::int64_t offset, std::span<const float> bits) {
    std::vector<std::uint8_t> bytes(outputs.needs_bytes() ? bits.size() : 0);
    if (!bytes.empty()) corpus.read(file.offset + offset, bytes);
    outputs.take(file.path, file.offset, offset, bytes, bits);
  };
  config.progress = [&](std::int64_t done, std::int64_t total) {
    display.note(text(grouped(done), " of ", grouped(total), " bytes"));
    return outputs.wanted() ? Control::go_on : Control::stop;
  };
  outputs.leave_out(evaluate(model, workspace, corpus.all(), config).left_out);
}

int run_eval(const EvalOptions& options) {
  std::optional<InterruptWatch> watch(std::in_place);  // before there are other threads
  const bool from_input = reads_standard_input(options.data.paths);
  check(!from_input || !options.compare,
        "--compare gives files to other programs, and standard input is none; write it to a file");
  check(!options.strided || (!from_input && options.lines != "alone"),
        "--strided reads windows of files twice, and neither standard input nor lines alone; name files with --data");
  check(!options.stream || (options.stride == 0 && !options.strided && options.lines != "alone"),
        "--stream reads each file as one sequence, without windows and not line by line; leave out --stride, --strided and "
        "--lines=alone, or --stream");
  check(!options.by_position || options.lines.empty(),
        "--by-position prints a table of positions in files, and --lines the bits of lines; leave out one of them");
  std::optional<Corpus> corpus;
  if (!from_input) corpus.emplace(options.data.corpus());
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  const RecordConfig record = model->record();
  const bool scanned = record.scan.kind != ScanKind::none;
  check(!scanned || options.lines != "alone", "the model reads ", in_words(record),
        ", which lines alone have not; leave out --lines=alone");
  if (options.stream)
    check(!model->max_length(), "--stream reads each file as one sequence of any length, and ", options.checkpoint,
          " reads at most ", model->max_length().value_or(0), " bytes at once; let its windows slide instead: --stride ",
          SlidingWindow::of(*model).stride);
  Workspace workspace(options.threads);
  // Lines are read in context: the windows slide, so that a line at the start of one has bytes before it in view.
  const bool slides = options.lines == "context" && options.stride == 0;
  const Index stride = options.stream       ? 0
                       : slides             ? SlidingWindow::of(*model).stride
                       : options.stride > 0 ? options.stride
                       : model->window()    ? default_stride(*model, *model->window())
                                            : 0;
  (void)SlidingWindow::of(*model, stride);  // says what is wrong with it
  EvalOutputs outputs(options, record, corpus ? &*corpus : nullptr);
  std::optional<InputPieces> input;
  if (from_input) input.emplace("measure", scanned ? static_cast<std::size_t>(record.bytes) : 1);
  say_what_computes(options.threads);
  ProgressDisplay display(stderr);
  if (input) score_input(*input, *model, workspace, options, stride, outputs, display);
  else if (options.lines == "alone") score_lone_lines(*model, workspace, *corpus, outputs, display);
  else score_files(*model, workspace, *corpus, options, stride, outputs, display);
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
  verb->add_option(
          "--html", options->html,
          "Writes a page that colours text, other bytes in hexadecimal, or the pixels of pictures that --scan told of, by "
          "what surprises the model")
      ->type_name("FILE");
  verb->add_option("--html-bytes", options->html_bytes,
                   "How many bytes the page shows; of pictures whole ones, and one at least")
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
  verb->add_flag("--strided", options->strided,
                 "Reads each window twice, from half a patch later too, and takes the first half of each patch: twice the "
                 "time. It helps models that lose most late in a patch, and harms others");
  verb->add_flag(
      "--stream", options->stream,
      "Reads each file as one sequence of any length, in constant memory, and without windows. For models whose "
      "state does not grow with what they have read: linear attention, MEGALODON's, and attention in windows of at most "
      "half the trained length, without learned positions. For others, windows slide with --stride");
  verb->add_flag(
      "--by-position", options->by_position,
      "Prints bits per byte by position in the file too, from 1 Ki on in bins that double; --html shows them as a "
      "plot");
  verb->add_flag("--json", options->json, "Prints JSON: one object, or with --lines one for each line");
  add_threads(*verb, options->threads);
  verb->footer(
      "Every file starts afresh and is read in windows of the trained length, which do not overlap unless --stride says "
      "so,\nor training predicts the ends of windows alone. With --stream there are no windows.\n"
      "A model that reads records in an order of its own (train --scan) leaves out what of a file is no whole record, and\n"
      "says how much. What is written stands in the order of the file.\n"
      "A line for each file comes first. The last line is `bits_per_byte: X`, over all of them.\n"
      "With --lines, a line is printed for each line: bits, bits per byte, FILE:LINE and its text, with tabs between.\n"
      "The last line of standard error is `bits_per_byte: X` then. The strangest lines: --lines | sort -rn | head");
  return {verb, [options] { return run_eval(*options); }};
}

}  // namespace megalith::tool
