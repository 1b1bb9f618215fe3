// SPDX-License-Identifier: Apache-2.0
#include "svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string_view>

#include "html.h"
#include "megalith/core/check.h"
#include "numbers.h"

namespace megalith::page {
namespace {

constexpr std::string_view kStyle = R"css(
.plot { --c0: #1f5fa8; --c1: #c2570c; --c2: #2e7d4f; --c3: #7b4fa3; --axis: #5c646e; --grid: #e2dfd8; --ground: #fdfcfa; }
@media (prefers-color-scheme: dark) {
  .plot { --c0: #7db4f0; --c1: #f2a057; --c2: #7cc99a; --c3: #c3a3e6; --axis: #9aa3ad; --grid: #30363d; --ground: #15181c; }
}
.plot text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; fill: var(--axis);
  font-variant-numeric: tabular-nums; }
.plot .grid { stroke: var(--grid); fill: none; }
.plot .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.plot .faint { stroke-width: 1; opacity: .3; }
.plot .dashed { stroke-dasharray: 6 4; }
.plot .end { font-weight: 600; }
.plot .level { stroke: var(--axis); stroke-dasharray: 5 4; fill: none; }
.plot .level-name { paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
.plot .hit { fill: transparent; } .plot .hit:hover { fill: currentColor; fill-opacity: .35; }
)css";

std::string coordinate(double value) { return rounded(value, 1); }

/// Where values of one axis lie on the screen.
struct Scale {
  double low = 0, high = 1;  // values at the ends
  double from = 0, to = 1;   // the ends on the screen
  bool log = false;

  bool shows(double value) const { return std::isfinite(value) && (!log || value > 0); }
  double place(double value) const { return log ? std::log(value) : value; }
  double operator()(double value) const {
    return from + (to - from) * (place(value) - place(low)) / (place(high) - place(low));
  }
};

/// The range of all values, a little wider on a linear axis, and never empty.
Scale scale_of(const Plot& plot, bool is_x) {
  const Axis& axis = is_x ? plot.x : plot.y;
  Scale scale{std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(), 0, 1, axis.log};
  const auto include = [&](double value) {
    if (!scale.shows(value)) return;
    scale.low = std::min(scale.low, value);
    scale.high = std::max(scale.high, value);
  };
  for (const Series& series : plot.series)
    for (const PlotPoint& point : series.points) include(is_x ? point.x : point.y);
  if (!is_x)
    for (const Level& level : plot.levels) include(level.y);
  if (scale.low > scale.high) scale.low = 1, scale.high = 2;
  if (!axis.log && axis.from_zero) include(0);
  if (is_x && !axis.log && scale.low > 0 && scale.low < scale.high / 5) scale.low = 0;  // an amount that grew from nothing
  if (scale.low == scale.high) {
    const double around = scale.low == 0 ? 1 : std::abs(scale.low) / 10;
    scale.low -= around, scale.high += around;
  }
  if (!is_x || !axis.log) {
    const double margin = is_x ? 0 : 0.04;
    if (axis.log) {
      const double factor = std::pow(scale.high / scale.low, margin);
      scale.low /= factor, scale.high *= factor;
    } else {
      const double add = (scale.high - scale.low) * margin;
      if (!axis.from_zero || scale.low != 0) scale.low -= add;
      scale.high += add;
    }
  }
  return scale;
}

class Drawing {
 public:
  Drawing(const Plot& plot, const std::string& id)
      : plot_(plot), id_(id), x_(scale_of(plot, true)), y_(scale_of(plot, false)) {
    double widest_tick = 0, legend_width = 0;
    for (const double y : y_ticks()) widest_tick = std::max(widest_tick, width_of(short_number(y, plot.y.unit)));
    x_.from = std::max(kLeast, widest_tick + 14);
    const bool has_ends = std::any_of(plot.series.begin(), plot.series.end(), [](auto& s) { return !s.end.empty(); });
    x_.to = plot.width - (has_ends ? kEnds : kLeast / 2);
    for (const Series& series : plot.series)
      if (!series.name.empty()) legend_width += legend_entry(series);
    if (8 + width_of(label_of(plot.y)) + legend_width > x_.to) legend_y_ += 20;  // below the label of the vertical axis
    y_.from = plot.height - kBottom, y_.to = legend_y_ + 24;
  }

  std::string draw(bool standalone) {
    out_ = text("<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", plot_.width, " ", plot_.height,
                "\" role=\"img\" aria-labelledby=\"", id_, "-title ", id_, "-desc\">\n");
    out_ += text("<title id=\"", id_, "-title\">", escaped(plot_.title), "</title><desc id=\"", id_, "-desc\">",
                 escaped(plot_.description), "</desc>\n<style>", kStyle, "</style>\n");
    if (standalone)
      out_ += text("<rect width=\"", plot_.width, "\" height=\"", plot_.height, "\" rx=\"6\" fill=\"var(--ground)\"/>\n");
    axes();
    for (const Level& level : plot_.levels) level_line(level);
    // What is faint lies below, what can be pointed at above.
    for (const bool faint : {true, false})
      for (const Series& series : plot_.series)
        if (series.faint == faint) line(series);
    level_names();
    for (const Series& series : plot_.series) marks(series);
    legend();
    ends();
    return out_ + "</svg>\n";
  }

 private:
  static constexpr double kLeast = 48, kEnds = 56;  // at the left, and at the right for words behind last points
  static constexpr int kBottom = 48;
  static constexpr int kSample = 18;  // of a line in the legend

  /// About as wide as words are.
  static double width_of(std::string_view words) { return 6.7 * static_cast<double>(words.size()); }
  static double legend_entry(const Series& series) { return 16 + kSample + 8 + width_of(series.name); }

  static std::string label_of(const Axis& axis) { return axis.log ? axis.label + ", logarithmic" : axis.label; }
  std::vector<double> y_ticks() const { return ticks(y_.low, y_.high, y_.log, plot_.height / 60); }

  void label(double x, double y, const char* anchor, std::string_view words, std::string_view more = "") {
    out_ += text("<text x=\"", coordinate(x), "\" y=\"", coordinate(y), "\" text-anchor=\"", anchor, "\"", more, ">",
                 escaped(words), "</text>\n");
  }
  static std::string color(const Series& series) { return text("var(--c", series.color % 4, ")"); }

  void axes() {
    std::string grid;
    for (const double y : y_ticks()) {
      grid += text("M", coordinate(x_.from), " ", coordinate(y_(y)), "H", coordinate(x_.to));
      label(x_.from - 8, y_(y) + 4.5, "end", short_number(y, plot_.y.unit));
    }
    for (const double x : ticks(x_.low, x_.high, x_.log, plot_.width / 100)) {
      grid += text("M", coordinate(x_(x)), " ", coordinate(y_.from), "v5");
      label(x_(x), y_.from + 20, "middle", short_number(x, plot_.x.unit));
    }
    out_ += text("<path class=\"grid\" d=\"", grid, "M", coordinate(x_.from), " ", coordinate(y_.from), "H",
                 coordinate(x_.to), "\"/>\n");
    label((x_.from + x_.to) / 2, plot_.height - 8, "middle", label_of(plot_.x));
    label(8, 16, "start", label_of(plot_.y));
  }

  void level_line(const Level& level) {
    if (y_.shows(level.y))
      out_ += text("<path class=\"level\" d=\"M", coordinate(x_.from), " ", coordinate(y_(level.y)), "H", coordinate(x_.to),
                   "\"/>\n");
  }

  /// Side by side from the right, above their lines, or below where the first series ends in the way.
  void level_names() {
    constexpr double kHeight = 20;  // of a name
    const bool has_end = !plot_.series.empty() && !plot_.series[0].points.empty() && shows(plot_.series[0].points.back());
    double x = x_.to - 4;
    for (const Level& level : plot_.levels) {
      if (!y_.shows(level.y)) continue;
      const double y = y_(level.y), above = has_end ? y - y_(plot_.series[0].points.back().y) : -1;
      const bool below = above > 0 && above < kHeight && y + kHeight < y_.from;
      label(x, y + (below ? 15 : -5), "end", level.name, " class=\"level-name\"");
      x -= width_of(level.name) + 16;
    }
  }

  bool shows(const PlotPoint& point) const { return x_.shows(point.x) && y_.shows(point.y); }

  void line(const Series& series) {
    std::string path;
    for (const PlotPoint& point : series.points)
      if (shows(point)) path += text(path.empty() ? "M" : "L", coordinate(x_(point.x)), " ", coordinate(y_(point.y)));
    out_ += text("<path class=\"line", series.faint ? " faint" : "", series.dashed ? " dashed" : "", "\" stroke=\"",
                 color(series), "\" d=\"", path, "\"/>\n");
  }

  void marks(const Series& series) {
    for (const PlotPoint& point : series.points) {
      if (!shows(point)) continue;
      const std::string place = text("cx=\"", coordinate(x_(point.x)), "\" cy=\"", coordinate(y_(point.y)), "\"");
      if (series.markers) out_ += text("<circle ", place, " r=\"3\" fill=\"", color(series), "\"/>\n");
      if (!point.note.empty())
        out_ += text("<circle class=\"hit\" style=\"color:", color(series), "\" ", place, " r=\"7\"><title>",
                     escaped(point.note), "</title></circle>\n");
    }
  }

  void legend() {
    // From the right: the label of the vertical axis is at the left.
    double x = x_.to;
    for (auto series = plot_.series.rbegin(); series != plot_.series.rend(); ++series) {
      if (series->name.empty()) continue;
      label(x, legend_y_, "end", series->name);
      const double to = x - width_of(series->name) - 8;
      out_ += text("<path class=\"line", series->dashed ? " dashed" : "", "\" stroke=\"", color(*series), "\" d=\"M",
                   coordinate(to - kSample), " ", legend_y_ - 4, "H", coordinate(to), "\"/>\n");
      if (series->markers)
        out_ += text("<circle cx=\"", coordinate(to - kSample / 2), "\" cy=\"", legend_y_ - 4, "\" r=\"3\" fill=\"",
                     color(*series), "\"/>\n");
      x -= legend_entry(*series);
    }
  }

  /// The words behind last points, moved apart where they would touch.
  void ends() {
    std::vector<std::pair<double, const Series*>> all;
    for (const Series& series : plot_.series)
      if (!series.end.empty() && !series.points.empty() && shows(series.points.back()))
        all.emplace_back(y_(series.points.back().y), &series);
    std::sort(all.begin(), all.end());
    double above = -1e9;
    for (const auto& [y, series] : all) {
      above = std::max(y + 4.5, above + 16);
      label(x_.to + 8, above, "start", series->end, text(" class=\"end\" style=\"fill:", color(*series), "\""));
    }
  }

  const Plot& plot_;
  std::string id_, out_;
  int legend_y_ = 16;  // of its words
  Scale x_, y_;
};

}  // namespace

std::string short_number(double value, const std::string& unit) {
  constexpr std::array<const char*, 5> kLarge{"", "k", "M", "G", "T"};
  std::size_t power = 0;
  // 999.6 would be written as 1000.
  while (std::abs(value) >= 999.5 && power + 1 < kLarge.size()) value /= 1000, ++power;
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.3g", value);
  return std::string(out.data()) + (power == 0 && unit.empty() ? "" : " ") + kLarge[power] + unit;
}

std::vector<double> ticks(double low, double high, bool log, int wanted) {
  std::vector<double> all;
  if (log && low > 0) {
    // From the coarsest choice to the finest, until there are enough.
    for (const std::vector<double>& choice : {std::vector<double>{1},
                                              {1, 3},
                                              {1, 2, 5},
                                              {1, 1.5, 2, 3, 4, 6, 8},
                                              {1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9}}) {
      std::vector<double> found;
      for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high; decade *= 10)
        for (const double digit : choice)
          if (digit * decade >= low && digit * decade <= high) found.push_back(digit * decade);
      if (found.size() > all.size() && (all.size() < 2 || std::ssize(found) <= wanted + 2)) all = found;
    }
    if (std::ssize(all) > 2 * wanted) {  // many decades: every keep-th of the ticks
      const std::size_t keep = (all.size() - 1) / static_cast<std::size_t>(wanted) + 1;
      for (std::size_t i = 0; i * keep < all.size(); ++i) all[i] = all[i * keep];
      all.resize((all.size() - 1) / keep + 1);
    }
    if (all.size() >= 2) return all;
    all.clear();
  }
  const double rough = (high - low) / std::max(wanted, 2), decade = std::pow(10, std::floor(std::log10(rough)));
  const double step = decade * (rough / decade < 1.4 ? 1 : rough / decade < 3.2 ? 2 : rough / decade < 7.1 ? 5 : 10);
  for (auto i = static_cast<std::int64_t>(std::ceil(low / step)); static_cast<double>(i) * step <= high * (1 + 1e-12); ++i)
    all.push_back(static_cast<double>(i) * step);
  return all;
}

std::string svg(const Plot& plot, const std::string& id, bool standalone) { return Drawing(plot, id).draw(standalone); }

}  // namespace megalith::page
