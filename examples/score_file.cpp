// SPDX-License-Identifier: Apache-2.0
// How well a trained model predicts a file: bits per byte, and the bytes that surprised it most.
//   score_file RUN_DIR FILE [HOW_MANY]
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "megalith/io/checkpoint.h"
#include "megalith/runtime/processors.h"
#include "megalith/train/evaluate.h"

namespace {

struct Surprise {
  std::int64_t offset;
  float bits;
};

void score(const std::string& run_dir, const std::string& path, std::size_t how_many) {
  const auto model = megalith::load_model(run_dir);
  const megalith::Corpus corpus({path});  // files are read in place, so they may be larger than memory

  // A workspace has the threads and the scratch memory that calls on a model use; one at a time, as often as you like.
  megalith::Workspace workspace(megalith::default_threads());

  // The surprisal of each byte, in bits, comes in order, some thousand bytes at a time.
  std::vector<Surprise> surprises;
  const auto dearer = [](const Surprise& a, const Surprise& b) { return a.bits > b.bits; };
  megalith::EvaluateConfig config;
  config.losses = [&](const megalith::CorpusFile&, std::int64_t offset, std::span<const float> bits) {
    for (const float surprisal : bits) surprises.push_back({offset++, surprisal});
    std::stable_sort(surprises.begin(), surprises.end(), dearer);
    surprises.resize(std::min(surprises.size(), how_many));
  };
  const megalith::Evaluation result = megalith::evaluate(*model, workspace, corpus.all(), config);

  // A compressor that used this model would make a file of this size.
  std::printf("%.3f bits per byte: %.0f bytes for %ld\n", result.bits_per_byte(), result.bits / 8,
              static_cast<long>(result.bytes));
  for (const Surprise& s : surprises) {
    std::uint8_t byte = 0;
    corpus.read(s.offset, {&byte, 1});
    std::printf("byte %ld, 0x%02x: %.2f bits\n", static_cast<long>(s.offset), static_cast<unsigned>(byte),
                static_cast<double>(s.bits));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: score_file RUN_DIR FILE [HOW_MANY]\n");
    return 2;
  }
  try {
    score(argv[1], argv[2], argc > 3 ? std::stoul(argv[3]) : 5);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "score_file: %s\n", error.what());
    return 1;
  }
}
