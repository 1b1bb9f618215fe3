// SPDX-License-Identifier: Apache-2.0
#include "learning_curve.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "megalith/core/check.h"
#include "numbers.h"

namespace megalith::page {
namespace {

constexpr std::size_t kMaxPoints = 300, kMaxSmallPoints = 120;  // of a line: more than a screen shows

std::string bits(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.3f", value);
  return out;
}

std::string note(const Metric& metric, const std::string& what, double value) {
  return text(what, " ", bits(value), " bits per byte after step ", grouped(metric.step), ", ",
              short_number(static_cast<double>(metric.bytes), "B"));
}

/// Means of neighbouring points, at most about `max` of them. The first point stays as it is: it shows where the run began.
std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& all, std::size_t max) {
  const std::size_t together = (all.size() + max - 1) / std::max<std::size_t>(max, 1);
  std::vector<PlotPoint> out;
  for (std::size_t i = 0; i < all.size();) {
    const std::size_t end = i == 0 ? 1 : std::min(all.size(), i + std::max<std::size_t>(together, 1));
    PlotPoint mean{0, 0, all[end - 1].note};
    for (std::size_t k = i; k < end; ++k) mean.x += all[k].x, mean.y += all[k].y;
    mean.x /= static_cast<double>(end - i), mean.y /= static_cast<double>(end - i);
    out.push_back(mean);
    i = end;
  }
  return out;
}

/// Means over a fiftieth of the run to both sides, and over less near the start, where values fall so fast that a wider mean
/// would be far from them.
std::vector<PlotPoint> smoothed(std::vector<PlotPoint> points) {
  std::vector<double> sums{0};  // of all values before
  for (const PlotPoint& point : points) sums.push_back(sums.back() + point.y);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t reach = std::min(i / 10, points.size() / 50), end = std::min(points.size(), i + reach + 1);
    points[i].y = (sums[end] - sums[i - reach]) / static_cast<double>(end - i + reach);
  }
  return points;
}

/// One value of the metrics against steps.
Plot small_plot(const std::vector<Metric>& metrics, std::optional<double> Metric::*value, const std::string& label,
                int color) {
  Series line{.color = color};
  for (const Metric& metric : metrics)
    if (metric.*value) line.points.push_back({static_cast<double>(metric.step), *(metric.*value)});
  Plot plot{.title = label, .x = {.label = "steps"}, .y = {.label = label}};
  if (!line.points.empty())
    plot.description = text("From ", short_number(line.points.front().y), " after step ", metrics.front().step, " to ",
                            short_number(line.points.back().y), " after step ", metrics.back().step, ".");
  line.points = thinned(line.points, kMaxSmallPoints);
  plot.series = {line};
  return plot;
}

}  // namespace

std::vector<Plot> small_plots(const std::vector<Metric>& metrics, double clip, int width, int height) {
  std::vector<Plot> all{small_plot(metrics, &Metric::bytes_per_second, "bytes per second", 2),
                        small_plot(metrics, &Metric::lr, "learning rate", 3),
                        small_plot(metrics, &Metric::grad_norm, "norm of the gradient", 0)};
  all[0].y.from_zero = all[1].y.from_zero = true;
  all[2].y.log = true;  // the first ones may be far above the others
  if (clip > 0) all[2].levels = {{clip, text("cut above ", short_number(clip))}};
  std::erase_if(all, [](const Plot& plot) { return plot.series[0].points.empty(); });
  for (Plot& plot : all) plot.width = width, plot.height = height;
  return all;
}

Plot learning_curve(const std::vector<Metric>& metrics, const std::vector<Baseline>& baselines, int width, int height) {
  Series as_it_was{.color = 0, .faint = true}, training{.name = "training", .color = 0},
      validation{.name = "validation", .color = 1, .markers = true};
  for (const Metric& metric : metrics) {
    const auto x = static_cast<double>(metric.bytes);
    as_it_was.points.push_back({x, metric.train_bpb, note(metric, "training", metric.train_bpb)});
    if (metric.valid_bpb)
      validation.points.push_back(
          {x, *metric.valid_bpb,
           note(metric, "validation", *metric.valid_bpb) + ", over " + grouped(metric.valid_bytes) + " bytes"});
  }
  training.points = smoothed(as_it_was.points);
  as_it_was.points = thinned(as_it_was.points, kMaxPoints);
  training.points = thinned(training.points, kMaxPoints);
  for (PlotPoint& point : as_it_was.points) point.note.clear();

  Plot plot{.title = "Learning curve",
            .description = "Nothing was measured yet.",
            .x = {.label = "bytes learned from", .unit = "B"},
            .y = {.label = "bits per byte", .log = true},
            .width = width,
            .height = height};
  if (!metrics.empty()) {
    plot.description = text("Training went from ", bits(metrics.front().train_bpb), " to ", bits(training.points.back().y),
                            " bits per byte over ", grouped(metrics.back().bytes), " bytes");
    training.end = bits(training.points.back().y);
  }
  if (!validation.points.empty()) {
    validation.end = bits(validation.points.back().y);
    plot.description += text("; validation was at ", validation.end, " in the end");
  }
  for (const Baseline& baseline : baselines) {
    const std::string name = text(baseline.name, " ", bits(baseline.bits_per_byte));
    plot.levels.push_back({baseline.bits_per_byte, name});
    plot.description += text("; ", name);
  }
  if (!metrics.empty()) plot.description += ".";
  plot.series = {as_it_was, training};
  if (!validation.points.empty()) plot.series.push_back(validation);
  return plot;
}

}  // namespace megalith::page
