// SPDX-License-Identifier: Apache-2.0
// Line plots as SVG: ticks at round numbers, linear or logarithmic axes, colours for light and dark.
#pragma once

#include <string>
#include <vector>

namespace megalith::page {

struct PlotPoint {
  double x = 0, y = 0;
  std::string note{};  // shown when the pointer rests on it; empty: nothing is shown
};

struct Series {
  std::string name{};  // in the legend; empty: not there
  std::vector<PlotPoint> points{};
  int color = 0;         // 0 to 3
  bool faint = false;    // behind the others
  bool markers = false;  // a dot at each point
  bool dashed = false;
  std::string end{};  // written behind the last point
};

/// A value to compare with: a dashed line across the plot, with its words at it.
struct Level {
  double y = 0;
  std::string name{};
};

struct Axis {
  std::string label{};
  bool log = false;        // and the label says so; values are then above 0, others are left out
  std::string unit{};      // behind each tick's number, as B for bytes: 20 MB
  bool from_zero = false;  // of a linear one: 0 is on it
};

struct Plot {
  std::string title{}, description{};  // for those who cannot see it
  Axis x{}, y{};
  std::vector<Series> series{};
  std::vector<Level> levels{};
  int width = 720, height = 420;
};

/// The <svg> element. `id` tells the ids inside from those of other plots on a page. A standalone file has its own ground.
std::string svg(const Plot& plot, const std::string& id = "plot", bool standalone = false);

/// 1234567 as 1.23 M, or with a unit as 1.23 MB: three significant digits.
std::string short_number(double value, const std::string& unit = "");

/// The round numbers within [low, high] where an axis has its ticks: about `wanted` of them, at least two.
std::vector<double> ticks(double low, double high, bool log, int wanted);

}  // namespace megalith::page
