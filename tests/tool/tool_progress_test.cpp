// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>

#include "progress.h"

namespace megalith::tool {
namespace {

Progress in_the_middle() {
  Progress p;
  p.step = 1200;
  p.steps = 4800;
  p.fraction = 0.25;
  p.train_bpb = 2.41321;
  p.bytes_per_second = 41234;
  p.gflops = 312.4;
  p.seconds_left = 252;
  return p;
}

/// Columns on the screen: UTF-8 characters count one, colours none.
std::size_t columns(const std::string& line) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\033') {
      i = line.find('m', i);
      continue;
    }
    if ((line[i] & 0xC0) != 0x80) ++n;
  }
  return n;
}

/// What a display wrote.
template <class F>
std::string written(F&& use) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const file = open_memstream(&text, &size);
  {
    ProgressDisplay display(file);
    use(display);
  }
  std::fclose(file);
  const std::string all(text, size);
  free(text);
  return all;
}

TEST(ProgressLine, SaysEverythingInPlainWords) {
  EXPECT_EQ(plain_line(in_the_middle()), "step 1,200/4,800  2.413 bits/byte  4:12 left  41,234 bytes/s  312 GFLOP/s");
  Progress p = in_the_middle();
  p.steps = 0;  // a budget in minutes
  EXPECT_EQ(plain_line(p).substr(0, 12), "step 1,200  ");
}

TEST(ProgressLine, FitsEveryWidth) {
  for (const bool color : {false, true}) {
    for (const bool unicode : {false, true}) {
      for (int width = 1; width <= 200; ++width) {
        const std::string line =
            bar_line(in_the_middle(), {.terminal = true, .color = color, .unicode = unicode, .width = width});
        EXPECT_LT(columns(line), static_cast<std::size_t>(std::max(width, 6))) << width << ": " << line;
      }
    }
  }
}

TEST(ProgressLine, NarrowTerminalsLoseTheRatesFirst) {
  const auto line = [](int width) { return bar_line(in_the_middle(), {.terminal = true, .width = width}); };
  EXPECT_EQ(line(80), " 25 %  ###.......  step 1,200/4,800  2.413 bits/byte  4:12 left  41,234 bytes/s");
  EXPECT_EQ(line(60), " 25 %  ###.......  step 1,200/4,800  2.413 bits/byte");
  EXPECT_EQ(line(53), " 25 %  ###.......  step 1,200/4,800  2.413 bits/byte");
  EXPECT_EQ(line(52), " 25 %  step 1,200/4,800  2.413 bits/byte  4:12 left");
  Progress far = in_the_middle();
  far.step = 1'000'000;
  far.steps = 4'000'000;
  EXPECT_EQ(bar_line(far, {.terminal = true, .width = 60}), " 25 %  step 1,000,000/4,000,000  2.413 bits/byte  4:12 left");
}

TEST(ProgressLine, TheBarFillsUp) {
  Progress p = in_the_middle();
  const Look look{.terminal = true, .width = 200};
  const auto filled = [&](double fraction) {
    p.fraction = fraction;
    const std::string line = bar_line(p, look);
    return std::count(line.begin(), line.end(), '#');
  };
  EXPECT_EQ(filled(0), 0);
  EXPECT_EQ(filled(0.5), 20);
  EXPECT_EQ(filled(1), 40);
  EXPECT_EQ(filled(1.7), 40);
}

TEST(ProgressLine, TellsOfAValidation) {
  Progress p = in_the_middle();
  p.phase = Phase::validating;
  p.phase_fraction = 0.4;
  EXPECT_EQ(plain_line(p), "step 1,200/4,800  validating 40 %");
}

TEST(ProgressLine, Durations) {
  EXPECT_EQ(duration(0), "0:00");
  EXPECT_EQ(duration(75.9), "1:15");
  EXPECT_EQ(duration(3600), "1:00:00");
  EXPECT_EQ(duration(-1), "?");
  EXPECT_EQ(duration(std::numeric_limits<double>::infinity()), "?");
}

TEST(ProgressDisplay, ElsewhereFirstAndLastLinesShowAndValidationsStay) {
  const std::string text = written([](ProgressDisplay& display) {
    Progress p = in_the_middle();
    for (p.step = 1; p.step <= 100; ++p.step) {
      if (p.step == 50) p.valid = p.best = Validation{.bits_per_byte = 2.5, .bytes = 10, .step = 50};
      display.show(p);
    }
    display.finish();
  });
  EXPECT_EQ(text,
            "step 1/4,800  2.413 bits/byte  4:12 left  41,234 bytes/s  312 GFLOP/s\n"
            "step 50: validation 2.5000 bits/byte, the best so far\n"
            "step 100/4,800  2.413 bits/byte  4:12 left  41,234 bytes/s  312 GFLOP/s\n");
}

TEST(ProgressDisplay, NoColorIsObeyedAndNoFileIsATerminal) {
  std::FILE* const file = std::tmpfile();
  EXPECT_FALSE(look_of(file).terminal);
  EXPECT_FALSE(look_of(file).color);
  std::fclose(file);
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal) + unlockpt(terminal), 0);
  std::FILE* const other_end = std::fopen(ptsname(terminal), "r+");
  ASSERT_NE(other_end, nullptr);
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  EXPECT_TRUE(look_of(other_end).terminal);
  EXPECT_TRUE(look_of(other_end).color);
  setenv("NO_COLOR", "1", 1);
  EXPECT_TRUE(look_of(other_end).terminal);
  EXPECT_FALSE(look_of(other_end).color);
  setenv("NO_COLOR", "", 1);  // empty is as good as not there
  EXPECT_TRUE(look_of(other_end).color);
  for (const char* kind : {"dumb", ""}) {
    setenv("TERM", kind, 1);
    EXPECT_FALSE(look_of(other_end).terminal);
    EXPECT_FALSE(look_of(other_end).color);
  }
  unsetenv("TERM");
  EXPECT_FALSE(look_of(other_end).terminal);
  std::fclose(other_end);
  close(terminal);
}

}  // namespace
}  // namespace megalith::tool
