// SPDX-License-Identifier: Apache-2.0
// How a run shows where it stands: a bar that is drawn over itself on a terminal, a plain line every ten seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "megalith/train/trainer.h"

namespace megalith::tool {

/// What the output can show.
struct Look {
  bool terminal = false;  // lines can be drawn over: a terminal whose kind, TERM, is told and not "dumb"
  bool color = false;     // on terminals without NO_COLOR (https://no-color.org)
  bool unicode = false;   // where the locale says UTF-8
  int width = 80;         // columns
};

/// Reads the terminal behind `file` and the environment.
Look look_of(std::FILE* file);

/// 75.2 seconds as "1:15", 3,600 as "1:00:00".
std::string duration(double seconds);

/// `step 120/5,000  2.913 bits/byte  4:12 left  41,200 bytes/s  310 GFLOP/s`: a line for logs.
std::string plain_line(const Progress& p);

/// A line of at most look.width - 1 columns, without its end: the bar, then as much of the same as there is room for, the
/// step first. Narrow terminals lose the rates first, then the bar.
std::string bar_line(const Progress& p, const Look& look);

class ProgressDisplay {
 public:
  explicit ProgressDisplay(std::FILE* file) : file_(file) {}
  ~ProgressDisplay() { clear(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// Call as often as there is news: it draws ten times a second at most. The first and the last line of a run always show;
  /// so does a validation, on a line that stays.
  void show(const Progress& p);
  /// Lines that stay.
  void say(std::string_view lines);
  /// A passing note such as "reading 45 %": on terminals only.
  void note(std::string_view text);
  /// Lets the last Progress stand, and leaves the cursor on a fresh line.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  bool due(Clock::duration period);
  void draw(const std::string& line);
  void print(const std::string& line);
  void clear();

  std::FILE* file_;
  Look look_ = look_of(file_);
  bool drawn_ = false;         // a line of ours stands where the cursor is
  bool pending_ = false;       // last_ was not shown
  Clock::time_point shown_{};  // when something was; the epoch: never
  Progress last_{};
  std::int64_t validated_ = -1;  // the step of the last validation shown
};

}  // namespace megalith::tool
