// SPDX-License-Identifier: Apache-2.0
// What pages and plots are made of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "page/html.h"
#include "page/learning_curve.h"
#include "page/svg_plot.h"
#include "page/utf8.h"
#include "support/count.h"

namespace megalith::page {
namespace {

using tests::count;

TEST(Utf8, TellsCharactersFromOtherBytes) {
  for (const char* character : {"a", "\n", "é", "€", "😀", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
    EXPECT_EQ(utf8_length(character), std::string(character).size()) << printable(character);
  for (const char* wrong : {"\x80", "\xC0\xAF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                            "\xF4\x90\x80\x80", "\xFF", "\xE2\x82"})
    EXPECT_EQ(utf8_length(wrong), 0u) << printable(wrong);
  EXPECT_EQ(utf8_length(""), 0u);
}

TEST(Utf8, EveryByteIsInOnePiece) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += "é€😀\xE2\x82";
  std::string together;
  for_each_character(all, [&](std::string_view piece, bool) { together += piece; });
  EXPECT_EQ(together, all);
}

TEST(Utf8, NothingThatATerminalActsOn) {
  EXPECT_EQ(printable("a\033[2Jb\x7F\xC2\x9B\xFF\tc\né"), "a\\x1b[2Jb\\x7f\\xc2\\x9b\\xff\tc\né");
}

TEST(Html, WhatTextHoldsIsNoMarkup) {
  EXPECT_EQ(escaped("<b a=\"1\" c='2'> & é"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt; &amp; é");
  EXPECT_EQ(escaped(std::string_view("\0\xFF", 2)), "\uFFFD\uFFFD");
  EXPECT_EQ(bytes_as_html("<\xFFé"), "&lt;<b class=\"hex\">ff</b>é");
  const std::string all = document("<i>", "", "<p>x</p>");
  EXPECT_NE(all.find("<title>&lt;i&gt;</title>"), std::string::npos);
  EXPECT_EQ(all.find("http://"), std::string::npos);
  EXPECT_EQ(all.find("https://"), std::string::npos);
}

TEST(Plot, TicksAreRoundNumbersInside) {
  EXPECT_EQ(ticks(0, 10, false, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(ticks(1, 1000, true, 5), (std::vector<double>{1, 3, 10, 30, 100, 300, 1000}));
  for (const bool log : {false, true})
    for (const double low : {1e-4, 0.9, 2.0, 3.3, 7e5})
      for (const double share : {1.0001, 1.1, 1.7, 4.0, 30.0, 1e4, 1e12})
        for (const int wanted : {3, 5, 8}) {
          const std::vector<double> all = ticks(low, low * share, log, wanted);
          EXPECT_GE(all.size(), 2u) << low << " times " << share << (log ? " log" : "");
          EXPECT_LE(std::ssize(all), 2 * wanted + 2) << low << " times " << share << (log ? " log" : "");
          for (const double tick : all) EXPECT_TRUE(tick >= low * (1 - 1e-9) && tick <= low * share * (1 + 1e-9)) << tick;
          EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
        }
}

TEST(Plot, NumbersAreShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(2.5), "2.5");
  EXPECT_EQ(short_number(999.4), "999");
  EXPECT_EQ(short_number(999.6), "1 k");
  EXPECT_EQ(short_number(1234567), "1.23 M");
  EXPECT_EQ(short_number(1234567, "B"), "1.23 MB");
  EXPECT_EQ(short_number(0, "B"), "0 B");
}

TEST(Plot, DrawsWhatCanBeDrawn) {
  Plot plot{.title = "a <b>", .description = "c & d", .x = {.label = "n", .log = true}, .y = {.label = "bits", .log = true}};
  plot.series = {
      {.name = "first", .points = {{0, 1}, {1, 2, "one & two"}, {10, NAN}, {100, 4}}, .markers = true, .end = "4"}};
  const std::string all = svg(plot, "p");
  EXPECT_EQ(count(all, "nan"), 0u);
  EXPECT_EQ(count(all, "inf"), 0u);
  EXPECT_EQ(count(all, "r=\"3\""), 3u);  // two points and the legend's: 0 has no place on a logarithmic axis
  EXPECT_NE(all.find("<title id=\"p-title\">a &lt;b&gt;</title>"), std::string::npos);
  EXPECT_NE(all.find("<title>one &amp; two</title>"), std::string::npos);
  for (const auto& points : {std::vector<PlotPoint>{}, {{5, 5}}, {{0, 0}}, {{1, 3}, {2, 3}}}) {
    plot.series[0].points = points;
    for (const bool log : {false, true}) {
      plot.x.log = plot.y.log = log;
      const std::string odd = svg(plot);
      EXPECT_EQ(count(odd, "nan") + count(odd, "inf"), 0u) << points.size();
    }
  }
}

TEST(Plot, ALongLegendHasALineOfItsOwn) {
  Plot plot{.y = {.label = "microseconds a byte"}};
  const auto legend_beside_label = [&] { return count(svg(plot), "y=\"16.0\" text-anchor=\"end\""); };
  plot.series = {{.name = "patches of 8", .points = {{1, 1}, {2, 2}}}};
  EXPECT_EQ(legend_beside_label(), 1u);
  for (const char* name : {"patches near T^(1/3)", "three scales", "plain", "slope of T^(1/3)"})
    plot.series.push_back({.name = name, .points = {{1, 2}, {2, 1}}, .dashed = true});
  EXPECT_EQ(legend_beside_label(), 0u);
  EXPECT_EQ(count(svg(plot), "y=\"36.0\" text-anchor=\"end\""), 5u);
}

TEST(LearningCurve, ShowsEveryValidationAndTheStart) {
  std::vector<Metric> metrics;
  for (int i = 1; i <= 2000; ++i) {
    metrics.push_back({.step = i, .bytes = i * 100, .seconds = 1, .train_bpb = 2 + 6.0 / i});
    if (i % 100 == 0) metrics.back().valid_bpb = 2 + 7.0 / i;
  }
  const Plot plot = learning_curve(metrics, {}, 700, 400);
  ASSERT_EQ(plot.series.size(), 3u);
  EXPECT_EQ(plot.series[2].points.size(), 20u);
  for (const Series& series : plot.series) {
    EXPECT_LE(series.points.size(), 301u);
    EXPECT_DOUBLE_EQ(series.points.front().y, &series == &plot.series[2] ? 2.07 : 8);
  }
  EXPECT_NEAR(plot.series[1].points.back().y, 2.003, 1e-3);
  EXPECT_EQ(learning_curve({}, {}, 700, 400).series.size(), 2u);
}

TEST(LearningCurve, HasALineForEachBaseline) {
  const std::vector<Metric> metrics{{.step = 10, .bytes = 100, .train_bpb = 3}, {.step = 20, .bytes = 200, .train_bpb = 2}};
  const Plot plot = learning_curve(metrics, {{"gzip -9", 2.5}, {"xz <9>", 0.5}}, 700, 400);
  EXPECT_NE(plot.description.find("; gzip -9 2.500; xz <9> 0.500."), std::string::npos) << plot.description;
  const std::string all = svg(plot);
  EXPECT_EQ(count(all, "class=\"level\""), 2u);
  for (const char* part : {">gzip -9 2.500</text>", ">xz &lt;9&gt; 0.500</text>", ">bits per byte, logarithmic</text>"})
    EXPECT_EQ(count(all, part), 1u) << part << "\n" << all;
  // The axis has room for a baseline far below what was measured: the line is above the lower end, at 400 - 48.
  const std::string start = "class=\"level\" d=\"M48.0 ";
  const double y = std::stod(all.substr(all.rfind(start) + start.size()));
  EXPECT_TRUE(y > 300 && y < 352) << y;
}

TEST(LearningCurve, SmallPlotsShowWhatWasMeasured) {
  std::vector<Metric> metrics{{.step = 10, .lr = 0.1}, {.step = 20, .lr = 0.2}};
  ASSERT_EQ(small_plots(metrics, 1, 300, 200).size(), 1u) << "older files tell neither speed nor gradient";
  for (Metric& metric : metrics) metric.bytes_per_second = 5e4, metric.grad_norm = 30;
  const std::vector<Plot> plots = small_plots(metrics, 0.5, 300, 200);
  ASSERT_EQ(plots.size(), 3u);
  EXPECT_NE(svg(plots[0]).find(">0</text>"), std::string::npos) << "speeds are seen beside 0";
  EXPECT_NE(svg(plots[2]).find(">cut above 0.5</text>"), std::string::npos);
  EXPECT_NE(svg(plots[2]).find("norm of the gradient, logarithmic"), std::string::npos);
  EXPECT_TRUE(small_plots(metrics, 0, 300, 200)[2].levels.empty());
  EXPECT_TRUE(small_plots({}, 1, 300, 200).empty());
}

}  // namespace
}  // namespace megalith::page
