// SPDX-License-Identifier: Apache-2.0
// megalith classify: to which of several runs files or lines belong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "byte_input.h"
#include "data_options.h"
#include "interrupt.h"
#include "line_bits.h"
#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"
#include "megalith/score/classifier.h"
#include "megalith/score/scorer.h"
#include "megalith/train/corpus.h"
#include "megalith/train/evaluate.h"
#include "options.h"
#include "progress.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::grouped, page::one_line, page::rounded;

struct ClassifyOptions {
  std::vector<std::string> runs;
  DataOptions data;
  bool lines = false, json = false;
  int threads = 0;
};

/// What is classified: a file, or one of its lines.
struct Piece {
  std::string path, text;  // a line's, without its end
  std::int64_t line = 0, bytes = 0;
};

/// Prints what belongs where.
class Verdicts {
 public:
  explicit Verdicts(const ClassifyOptions& options) : options_(options) {
    if (options.json) return;
    std::string head = "best";
    for (const std::string& run : options.runs) head += "\tp(" + one_line(run) + ")";
    for (const std::string& run : options.runs) head += "\tbits/byte(" + one_line(run) + ")";
    output_.add(text(head, "\tbytes\t", options.lines ? "place\ttext" : "file"));
  }

  void print(const Piece& piece, const Classes& classes) {
    output_.add(options_.json ? json(piece, classes) : row(piece, classes));
  }
  /// Sends what was printed to whoever reads; false when nobody does any more.
  bool send() { return output_.send(); }

 private:
  std::string row(const Piece& piece, const Classes& classes) const {
    std::string all = one_line(options_.runs[classes.best]);
    for (const double p : classes.probabilities) all += "\t" + rounded(p, 6);
    for (const double b : classes.bits) all += "\t" + rounded(b / static_cast<double>(piece.bytes), 4);
    all += text("\t", piece.bytes, "\t", one_line(piece.path));
    return options_.lines ? text(all, ":", piece.line, "\t", one_line(piece.text)) : all;
  }
  std::string json(const Piece& piece, const Classes& classes) const {
    nlohmann::ordered_json all{{"file", piece.path}, {"bytes", piece.bytes}, {"best", options_.runs[classes.best]}};
    for (std::size_t i = 0; i < options_.runs.size(); ++i) {
      all["probabilities"][options_.runs[i]] = classes.probabilities[i];
      all["bits_per_byte"][options_.runs[i]] = classes.bits[i] / static_cast<double>(piece.bytes);
    }
    if (options_.lines) all["line"] = piece.line, all["text"] = piece.text;
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  const ClassifyOptions& options_;
  LineOutput output_;
};

/// Lines of one file or stream, which comes in pieces cut anywhere.
class LineVerdicts {
 public:
  LineVerdicts(Classifier& classifier, Verdicts& verdicts) : classifier_(classifier), verdicts_(verdicts) {}

  /// False where nobody reads any more.
  bool add(const std::string& path, std::string_view bytes) {
    waiting_ += bytes;
    const std::vector<std::string_view> lines = whole_lines(waiting_, false);
    return print(path, lines);
  }
  bool end(const std::string& path) {
    const bool wanted = print(path, whole_lines(waiting_, true));
    number_ = 0;
    return wanted;
  }

 private:
  bool print(const std::string& path, const std::vector<std::string_view>& lines) {
    std::size_t done = 0, i = 0;
    for (const Classes& classes : classifier_.classify(lines)) {
      const std::string_view line = lines[i++];
      const std::string_view shown = line.ends_with('\n') ? line.substr(0, line.size() - 1) : line;
      verdicts_.print({path, std::string(shown.substr(0, kShownOfLine)), ++number_, std::ssize(line)}, classes);
      done += line.size();
    }
    waiting_.erase(0, done);
    return verdicts_.send();
  }

  Classifier& classifier_;
  Verdicts& verdicts_;
  std::string waiting_;
  std::int64_t number_ = 0;
};

using Models = std::vector<std::unique_ptr<AnyModel>>;

/// The bits of each file of a corpus, by where it begins.
std::map<std::int64_t, double> bits_of_files(const AnyModel& model, Workspace& workspace, const Corpus& corpus,
                                             const std::string& run, ProgressDisplay& display) {
  std::map<std::int64_t, double> sums;
  EvaluateConfig config;
  config.stride = SlidingWindow::of(model).stride;
  config.losses = [&](const CorpusFile& file, std::int64_t, std::span<const float> bits) {
    for (const float b : bits) sums[file.offset] += with_floor(static_cast<double>(b));
  };
  config.progress = [&](std::int64_t done, std::int64_t total) {
    display.note(text(one_line(run), ": ", grouped(done), " of ", grouped(total), " bytes"));
    return Control::go_on;
  };
  const std::int64_t left_out = evaluate(model, workspace, corpus.all(), config).left_out;
  check(left_out == 0, "the ends of the files have ", left_out, " bytes that are no whole record of the model ", run,
        ", which would be compared by fewer bytes than others; cut them off");
  return sums;
}

void classify_files(const Models& models, Workspace& workspace, const Corpus& corpus, const ClassifyOptions& options) {
  ProgressDisplay display(stderr);
  std::vector<std::map<std::int64_t, double>> bits;
  for (std::size_t i = 0; i < models.size(); ++i)
    bits.push_back(bits_of_files(*models[i], workspace, corpus, options.runs[i], display));
  display.finish();
  Verdicts verdicts(options);
  for (const CorpusFile& file : corpus.files()) {
    std::vector<double> of_file;
    for (const auto& model : bits) of_file.push_back(model.at(file.offset));
    verdicts.print({file.path, "", 0, file.size}, Classes::of(std::move(of_file)));
  }
  verdicts.send();
}

void classify_input(InputPieces& input, const Models& models, const ClassifyOptions& options) {
  std::vector<Scorer> scorers;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const RecordConfig record = models[i]->record();
    check(record.scan.kind == ScanKind::none, options.runs[i], " reads ", in_words(record),
          ", and standard input is no file of them; write it to one and name that with --data");
    scorers.emplace_back(*models[i], ScorerConfig{0, options.threads});
  }
  std::vector<double> sums(models.size(), 0.0);
  for (; !input.piece().empty(); input.next())
    for (std::size_t i = 0; i < scorers.size(); ++i)
      for (const float b : scorers[i].feed(input.piece())) sums[i] += with_floor(static_cast<double>(b));
  Verdicts verdicts(options);
  verdicts.print({"-", "", 0, scorers[0].position()}, Classes::of(std::move(sums)));
  verdicts.send();
}

void classify_lines(const std::vector<const AnyModel*>& models, Workspace& workspace, const Corpus* corpus,
                    InputPieces* input, const ClassifyOptions& options) {
  Classifier classifier(models, workspace);
  Verdicts verdicts(options);
  LineVerdicts lines(classifier, verdicts);
  if (input != nullptr) {
    for (; !input->piece().empty(); input->next())
      if (!lines.add("-", input->text())) return;
    lines.end("-");
    return;
  }
  std::string piece;
  for (const CorpusFile& file : corpus->files()) {
    for (std::int64_t at = 0; at < file.size; at += std::ssize(piece)) {
      piece.resize(static_cast<std::size_t>(std::min<std::int64_t>(1 << 18, file.size - at)));
      corpus->read(file.offset + at, std::span(reinterpret_cast<std::uint8_t*>(piece.data()), piece.size()));
      if (!lines.add(file.path, piece)) return;
    }
    if (!lines.end(file.path)) return;
  }
}

int run_classify(const ClassifyOptions& options) {
  const InterruptWatch watch;  // before there are other threads
  if (options.runs.size() < 2) throw CLI::ValidationError("one run leaves nothing to choose; name two or more");
  for (std::size_t i = 0; i < options.runs.size(); ++i)
    check(std::find(options.runs.begin(), options.runs.begin() + static_cast<std::ptrdiff_t>(i), options.runs[i]) ==
              options.runs.begin() + static_cast<std::ptrdiff_t>(i),
          "the run ", options.runs[i], " is named twice; name each once");
  std::optional<Corpus> corpus;
  const bool from_input = reads_standard_input(options.data.paths);
  if (!from_input) corpus.emplace(options.data.corpus());
  Models models;
  std::vector<const AnyModel*> each;
  for (const std::string& run : options.runs) each.push_back(models.emplace_back(load_model(run)).get());
  Workspace workspace(options.threads);
  std::optional<InputPieces> input;
  if (from_input) input.emplace("classify");
  say_what_computes(options.threads);
  if (options.lines) classify_lines(each, workspace, corpus ? &*corpus : nullptr, input ? &*input : nullptr, options);
  else if (corpus) classify_files(models, workspace, *corpus, options);
  else classify_input(*input, models, options);
  return kDone;
}

}  // namespace

Verb add_classify(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("classify", "Tells to which of several runs files or lines belong");
  const auto options = std::make_shared<ClassifyOptions>();
  verb->add_option("runs", options->runs, "Run directories, or checkpoint files, two or more")
      ->required()
      ->expected(1, 1000)
      ->type_name("RUN_DIR|CHECKPOINT");
  add_data(*verb, options->data);
  verb->add_flag("--lines", options->lines, "Classifies each line by itself instead of each file");
  verb->add_flag("--json", options->json, "Prints an object of JSON for each");
  add_threads(*verb, options->threads);
  verb->footer(
      "A line for each file, or line: the likeliest run, its probability and the bits per byte under each, with tabs "
      "between.\n"
      "The runs are taken to be equally likely. No byte costs more than 16 bits: one in 256 may be foreign to every run.");
  return {verb, [options] { return run_classify(*options); }};
}

}  // namespace megalith::tool
