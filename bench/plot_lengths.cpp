// SPDX-License-Identifier: Apache-2.0
// Draws what bench/length.sh measured: microseconds of training a byte over bytes in a sequence, as SVG to standard output.
//
//   plot_lengths LENGTHS.jsonl
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "../src/page/svg_plot.h"
#include "megalith/core/check.h"

namespace megalith {
namespace {

page::Plot read(const std::string& path) {
  page::Plot plot{.title = "Training cost of a byte by the length of the sequence",
                  .description = "Microseconds a byte over bytes in a sequence, on logarithmic axes, a line for each model",
                  .x = {.label = "bytes in a sequence", .log = true},
                  .y = {.label = "microseconds a byte", .log = true}};
  std::ifstream file(path);
  check(file.good(), "cannot read ", path);
  for (std::string line; std::getline(file, line);) {
    const auto fields = nlohmann::json::parse(line);
    const std::string name = fields.at("series");
    if (plot.series.empty() || plot.series.back().name != name)
      plot.series.push_back({.name = name, .color = static_cast<int>(plot.series.size() % 4), .markers = true});
    plot.series.back().points.push_back({fields.at("length"), 1e6 / fields.at("bytes_per_second").get<double>(), ""});
  }
  check(!plot.series.empty(), path, " holds no figures; run bench/length.sh first");
  // The paper's O(T^(4/3)) of a sequence is O(T^(1/3)) of a byte: its slope, from the second model's start.
  const page::Series& near = plot.series[plot.series.size() > 1 ? 1 : 0];
  page::Series slope{.name = "slope of T^(1/3)", .color = near.color, .faint = true, .dashed = true};
  for (const page::PlotPoint& p : near.points)
    slope.points.push_back({p.x, near.points.front().y * std::cbrt(p.x / near.points.front().x), ""});
  plot.series.push_back(slope);
  return plot;
}

}  // namespace
}  // namespace megalith

int main(int argc, char** argv) {
  try {
    megalith::check(argc == 2, "usage: plot_lengths LENGTHS.jsonl");
    std::cout << megalith::page::svg(megalith::read(argv[1]), "lengths", true) << '\n';
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "plot_lengths: " << e.what() << '\n';
    return 1;
  }
}
