// SPDX-License-Identifier: Apache-2.0
// What the programs about a model share on their command lines.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "megalith/core/check.h"
#include "megalith/io/config_file.h"
#include "megalith/kernels/gemm.h"
#include "megalith/runtime/processors.h"

namespace megalith::bench {

/// The model that a program is about, on what and how it runs.
struct Options {
  std::string model;
  Index length = 0;  // of a window in bytes; 0: the model's own
  Index batch = 8;   // windows
  int threads = available_processors();
  Precision precision = Precision::fp32;
  bool rotary = false, recompute = false;
  std::optional<Index> cross_patch{};  // bytes of cross-patch attention of the innermost scale, with rotary positions

  /// The model's config with the options in it. Throws Error where there is no such model.
  ModelConfig config() const {
    ModelConfig c = load_config(model);
    if (length > 0) c.length = length;
    // A table of learned positions is as long as the outermost scale's window; rotary ones are not parameters.
    PositionKind& positions = c.scales.front().stack.positions;
    if (rotary && positions == PositionKind::learned) positions = PositionKind::rotary;
    if (cross_patch) {
      c.scales.back().cross_patch = *cross_patch;
      c.scales.back().stack.positions = PositionKind::rotary;
    }
    for (ScaleConfig& scale : c.scales) scale.stack.recompute = scale.stack.recompute || recompute;
    return c;
  }
  Shape shape() const { return {batch, config().length}; }
};

inline void add_model(CLI::App& app, Options& o) {
  app.add_option("MODEL", o.model, "a preset's name, or a JSON file")->required();
  app.add_flag("--rotary", o.rotary, "rotary positions in place of the outermost scale's learned ones");
}
template <class T>
CLI::Option* add_count(CLI::App& app, const char* name, T& value, const char* help) {
  const auto above_0 = [](std::string& given) {
    T n = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), n);
    const bool good = error == std::errc() && end == given.data() + given.size() && n > 0;
    if (good) given = std::to_string(n);  // CLI11 alone takes leading zeros for octal
    return good ? std::string() : text("\"", given, "\" is not a number above 0");
  };
  return app.add_option(name, value, help)->transform(CLI::Validator(above_0, "N", "above 0"));
}
/// [LENGTH [BATCH [THREADS]]], --precision and --recompute.
inline void add_training(CLI::App& app, Options& o) {
  add_count(app, "LENGTH", o.length, "bytes in a window; the model's own");
  add_count(app, "BATCH", o.batch, "windows in a step")->capture_default_str();
  add_count(app, "THREADS", o.threads, "threads")->capture_default_str();
  app.add_option_function<std::string>(
         "--precision", [&o](const std::string& given) { o.precision = parse_precision(given); },
         "fp32 or bf16, of the products")
      ->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_flag("--recompute", o.recompute, "keep less and compute it again in backward");
  app.add_option("--cross-patch", o.cross_patch,
                 "bytes of cross-patch attention of the innermost scale, whose positions become rotary; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
}

/// Parses and runs; the exit code of the program.
template <class F>
int run(CLI::App& app, int argc, char** argv, F&& f) {
  try {
    app.parse(argc, argv);
    f();
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), e.what());
    return 1;
  }
}

}  // namespace megalith::bench
