// SPDX-License-Identifier: Apache-2.0
// A program of your own with a byte model inside: it tells how well a model knows what stands on its standard input.
//   embed_in_your_program [RUN_DIR] < FILE
#include <cstdio>
#include <iostream>
#include <iterator>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "megalith/megalith.h"

namespace {

/// Without a run directory: a model that has learned nothing, whose loss is above the 8 bits that a byte has.
std::unique_ptr<megalith::AnyModel> untrained_model() {
  auto model = megalith::make_model(megalith::preset("megabyte-tiny").config);
  model->init({.value = 1});
  return model;
}

/// The mean loss of a text's bytes, in bits. Each window of the model's length is read from its start.
double bits_per_byte(const megalith::AnyModel& model, std::string text) {
  const std::size_t bytes = text.size(), length = static_cast<std::size_t>(model.config().length);
  megalith::check(bytes > 0, "there is nothing on standard input");
  text.resize((bytes + length - 1) / length * length);  // what pads the last window changes no loss before it
  megalith::Workspace workspace(megalith::default_threads());
  std::vector<float> nats(text.size());
  for (std::size_t at = 0; at < text.size(); at += length) {
    const megalith::Bytes window{reinterpret_cast<const std::uint8_t*>(&text[at]), 1, model.config().length};
    model.score(megalith::Context(workspace), window, std::span(nats).subspan(at, length));
  }
  const double sum = std::accumulate(nats.begin(), nats.begin() + static_cast<std::ptrdiff_t>(bytes), 0.0);
  return sum / std::numbers::ln2 / static_cast<double>(bytes);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto model = argc > 1 ? megalith::load_model(argv[1]) : untrained_model();
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    std::printf("%.3f bits per byte over %zu bytes\n", bits_per_byte(*model, text), text.size());
  } catch (const megalith::Error& error) {  // bad input of any kind comes as one sentence
    std::fprintf(stderr, "embed_in_your_program: %s\n", error.what());
    return 1;
  }
}
