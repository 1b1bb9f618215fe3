// SPDX-License-Identifier: Apache-2.0
// megalith embed: vectors of files, or of their patches.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "byte_input.h"
#include "data_options.h"
#include "interrupt.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/npy.h"
#include "megalith/score/embedder.h"
#include "megalith/train/corpus.h"
#include "options.h"
#include "output_path.h"
#include "progress.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::counted, page::grouped, page::one_line;

struct EmbedOptions {
  std::string checkpoint, out, per = "file", format = "npy";
  DataOptions data;
  int threads = 0;
};

/// What gets vectors: a file, or standard input, which is read whole since the array says at its start how long it is.
struct Piece {
  std::string path;
  std::int64_t bytes = 0;
  Embedder::Read read;
};

std::vector<std::uint8_t> whole_input() {
  constexpr std::size_t kMax = std::size_t{1} << 30;
  std::vector<std::uint8_t> bytes;
  for (InputPieces input("embed"); !input.piece().empty(); input.next()) {
    bytes.insert(bytes.end(), input.piece().begin(), input.piece().end());
    check(bytes.size() <= kMax, "standard input has more than ", kMax, " bytes; write them to a file and name that");
  }
  return bytes;
}

std::vector<Piece> pieces_of(const Corpus& corpus) {
  std::vector<Piece> all;
  for (const CorpusFile& file : corpus.files())
    all.push_back({file.path, file.size, [&corpus, begin = file.offset](std::int64_t at, std::span<std::uint8_t> out) {
                     corpus.read(begin + at, out);
                   }});
  return all;
}

CLI::Validator one_of(const char* one, const char* other) {
  return {[=](std::string& given) {
            return given == one || given == other ? "" : text("'", given, "' is neither ", one, " nor ", other);
          },
          ""};
}

int run_embed(const EmbedOptions& options) {
  std::optional<InterruptWatch> watch(std::in_place);  // before there are other threads
  std::optional<Corpus> corpus;
  std::vector<std::uint8_t> input;
  std::vector<Piece> pieces;
  if (reads_standard_input(options.data.paths)) {
    input = whole_input();
    pieces.push_back({"-", std::ssize(input), [&](std::int64_t at, std::span<std::uint8_t> out) {
                        std::copy_n(input.begin() + at, out.size(), out.begin());
                      }});
  } else {
    corpus.emplace(options.data.corpus());
    pieces = pieces_of(*corpus);
  }
  const std::unique_ptr<AnyModel> model = load_model(options.checkpoint);
  Workspace workspace(options.threads);
  Embedder embedder(*model, workspace);
  const bool whole = options.per == "file";
  const auto rows_of = [&](const Piece& piece) { return whole ? 1 : embedder.patches(piece.bytes); };
  check_is_no_input("--out", options.out, options.checkpoint, corpus ? &*corpus : nullptr);
  AtomicFile file(options.out);
  std::int64_t rows = 0;
  for (const Piece& piece : pieces) rows += rows_of(piece);
  if (options.format == "npy") file.write(npy_header(rows, embedder.width()));
  say_what_computes(options.threads);
  ProgressDisplay display(stderr);
  const auto write = [&](std::span<const float> vectors) {
    check(std::all_of(vectors.begin(), vectors.end(), [](float x) { return std::isfinite(x); }),
          "the model gives vectors that are not finite numbers; its weights in ", options.checkpoint, " are damaged");
    file.write(std::as_bytes(vectors));
  };
  std::int64_t done = 0;
  for (const Piece& piece : pieces) {
    if (whole) write(embedder.of_whole(piece.bytes, piece.read));
    else embedder.for_each_patch(piece.bytes, piece.read, write);
    display.note(text(grouped(++done), " of ", counted(std::ssize(pieces), "file")));
  }
  file.commit();
  display.finish();
  watch.reset();

  std::printf("%13s  %13s  file\n", "vectors", "bytes");
  for (const Piece& piece : pieces)
    std::printf("%13s  %13s  %s\n", grouped(rows_of(piece)).c_str(), grouped(piece.bytes).c_str(),
                one_line(piece.path).c_str());
  std::printf("vectors: %lld\nwidth: %lld\n", static_cast<long long>(rows), static_cast<long long>(embedder.width()));
  return kDone;
}

}  // namespace

Verb add_embed(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("embed", "Writes a vector for each file, or for each patch of it");
  const auto options = std::make_shared<EmbedOptions>();
  add_checkpoint(*verb, options->checkpoint);
  add_data(*verb, options->data);
  verb->add_option("--out", options->out, "The vectors, little-endian float32, row by row: files in path order")
      ->required()
      ->type_name("FILE");
  verb->add_option("--per", options->per, "What has a vector of its own; that of a file is the mean of its patches'")
      ->check(one_of("file", "patch"))
      ->capture_default_str()
      ->type_name("file|patch");
  verb->add_option("--format", options->format, "npy is an array that NumPy loads; raw is its numbers alone")
      ->check(one_of("npy", "raw"))
      ->capture_default_str()
      ->type_name("npy|raw");
  add_threads(*verb, options->threads);
  verb->footer(
      "A vector is what the model's outermost scale makes of a patch and of what comes before it in its file.\n"
      "A last patch that is not whole is filled up with zero bytes. A line for each file is printed, with its vectors.");
  return {verb, [options] { return run_embed(*options); }};
}

}  // namespace megalith::tool
