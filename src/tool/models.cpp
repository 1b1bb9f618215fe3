// SPDX-License-Identifier: Apache-2.0
// megalith models: the presets, with their parameters and FLOPs.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "../page/numbers.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/zoo.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::grouped;

int run_models() {
  std::size_t width = 4;
  for (const Preset& preset : presets()) width = std::max(width, preset.name.size());
  const auto row = [&](const char* name, const char* parameters, const char* flops, const char* length,
                       const char* summary) {
    std::printf("%-*s  %15s  %12s  %9s  %s\n", static_cast<int>(width), name, parameters, flops, length, summary);
  };
  row("name", "parameters", "MFLOP/byte", "length", "");
  for (const Preset& preset : presets()) {
    const ModelConfig& config = preset.config;
    const auto summary = make_summary(config);
    const double flops = flops_per_byte(*summary, config.length);
    char mega[32];
    std::snprintf(mega, sizeof mega, "%.1f", flops * 1e-6);
    row(preset.name.c_str(), grouped(summary->parameter_count(), 0).c_str(), mega, grouped(config.length).c_str(),
        preset.summary.c_str());
  }
  std::printf(
      "\nMFLOP/byte: of matrix products in a forward pass over a window; training costs three times as much. Where only the "
      "end\n"
      "of a training window is predicted, by byte of that end.\n");
  return kDone;
}

}  // namespace

Verb add_models(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("models", "Lists the models that train knows by name");
  return {verb, run_models};
}

}  // namespace megalith::tool
