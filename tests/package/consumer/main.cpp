// SPDX-License-Identifier: Apache-2.0
// What meets between the library and a program: models, files, exceptions, and Eigen in both.
//   consumer TEXT_FILE RUN_DIR
#include <cstdio>
#include <cstring>

#include "megalith/core/version.h"
#include "megalith/megalith.h"
#include "megalith/nn/linear.h"

namespace {

void train(const char* text_file, const char* run_dir) {
  const megalith::StackConfig global{.width = 32, .layers = 1, .block = megalith::TransformerConfig{.heads = 2}};
  const megalith::StackConfig local{.width = 16, .layers = 1, .block = megalith::TransformerConfig{.heads = 1}};
  const auto model =
      megalith::make_model({.length = 64, .scales = {{.patch = 4, .stack = global}, {.patch = 1, .stack = local}}});
  megalith::TrainConfig config;
  config.budget.steps = 2;
  model->init(config.init_key());
  megalith::DataConfig data;
  data.train = {text_file};
  data.valid_share = 0.2;
  megalith::Trainer(*model, config, data, run_dir).run([](const megalith::Progress&) { return megalith::Control::go_on; });
}

bool generate(const char* run_dir) {
  const auto model = megalith::load_model(run_dir);
  megalith::Generator generator(*model, {.temperature = 0.8, .seed = 7});
  generator.prompt("It was ");
  for (int i = 0; i < 80; ++i) generator.next();
  return true;
}

bool error_arrives() {
  try {
    megalith::load_model("no such folder");
  } catch (const megalith::Error& error) {
    return std::strstr(error.what(), "no such folder") != nullptr;
  }
  return false;
}

/// The library's templates over a scalar of which it holds no code, and a product of the program's own, which takes memory.
bool own_arithmetic() {
  megalith::Linear<double> layer(300, 200, true);
  layer.init({1}, {.std = 0.3});
  const megalith::Matrix<double> x = megalith::Matrix<double>::Random(400, 300);
  megalith::Tensor<double> y({400, 200});
  megalith::Workspace workspace(2);
  const megalith::Context ctx(workspace);
  layer.apply(ctx, {x.data(), 1, 400, 300}, {y.data(), 1, 400, 200});
  const megalith::Matrix<double> expected = x * layer.weight.mat();
  return (y.mat() - expected).norm() < 1e-9 * expected.norm();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  train(argv[1], argv[2]);
  if (!generate(argv[2]) || !error_arrives() || !own_arithmetic()) {
    std::fprintf(stderr, "consumer: the library works otherwise here\n");
    return 1;
  }
  std::printf("megalith %s trains and generates here\n", megalith::kLibraryVersion);
}
