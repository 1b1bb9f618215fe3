// SPDX-License-Identifier: Apache-2.0
// Continues a text with a trained model, from C++.
//   generate RUN_DIR TEXT [BYTES]
#include <cstdio>
#include <exception>
#include <string>

#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"

namespace {

void generate(const std::string& run_dir, const std::string& text, long bytes) {
  const auto model = megalith::load_model(run_dir);
  megalith::Generator generator(*model, {.temperature = 0.8, .top_p = 0.95, .seed = 7});
  generator.prompt(text);
  std::printf("%s", text.c_str());
  for (long i = 0; i < bytes; ++i) std::putchar(generator.next());
  std::putchar('\n');
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: generate RUN_DIR TEXT [BYTES]\n");
    return 2;
  }
  try {
    generate(argv[1], argv[2], argc > 3 ? std::stol(argv[3]) : 200);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "generate: %s\n", error.what());
    return 1;
  }
}
