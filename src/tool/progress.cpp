// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "../page/numbers.h"
#include "megalith/core/check.h"

namespace megalith::tool {
namespace {

using page::grouped, page::rounded;

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainLine = std::chrono::seconds(10);
constexpr int kBarStep = 10, kMaxBar = 40;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Rates with three significant digits: 0.123, 4.56, 78.9, 41,200.
std::string rate(double x) { return x >= 100 ? grouped(std::llround(x)) : rounded(x, x >= 10 ? 1 : x >= 1 ? 2 : 3); }

/// What a line says, the most important first.
std::vector<std::string> parts(const Progress& p) {
  std::vector<std::string> all;
  all.push_back("step " + grouped(p.step) + (p.steps > 0 ? "/" + grouped(p.steps) : ""));
  if (p.phase == Phase::validating) {
    all.push_back("validating " + rounded(100 * p.phase_fraction, 0) + " %");
    return all;
  }
  all.push_back(rounded(p.train_bpb, 3) + " bits/byte");
  all.push_back(duration(p.seconds_left) + " left");
  all.push_back(rate(p.bytes_per_second) + " bytes/s");
  all.push_back(rate(p.gflops) + " GFLOP/s");
  return all;
}

/// `filled` of `width` columns in colour, the rest faint.
std::string bar(double share, int width, const Look& look) {
  const int filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width));
  std::string done, rest;
  for (int i = 0; i < filled; ++i) done += look.unicode ? "━" : "#";
  // Without colour the same sign would not tell what is done.
  for (int i = filled; i < width; ++i) rest += look.unicode && look.color ? "━" : look.unicode ? " " : ".";
  return look.color ? "\033[36m" + done + "\033[90m" + rest + "\033[0m" : done + rest;
}

}  // namespace

Look look_of(std::FILE* file) {
  Look look;
  const int descriptor = fileno(file);
  const std::string kind = environment("TERM");
  look.terminal = isatty(descriptor) == 1 && !kind.empty() && kind != "dumb";
  look.color = look.terminal && environment("NO_COLOR").empty();
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // the first that is set decides
    const std::string value = environment(name);
    if (value.empty()) continue;
    look.unicode = value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
    break;
  }
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) look.width = size.ws_col;
  return look;
}

std::string duration(double seconds) {
  if (!(seconds >= 0 && seconds < 1e9)) return "?";
  const auto s = static_cast<long>(seconds);
  std::array<char, 64> out{};
  if (s >= 3600) std::snprintf(out.data(), out.size(), "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  else std::snprintf(out.data(), out.size(), "%ld:%02ld", s / 60, s % 60);
  return out.data();
}

std::string plain_line(const Progress& p) {
  std::string line;
  for (const std::string& part : parts(p)) line += (line.empty() ? "" : "  ") + part;
  return line;
}

std::string bar_line(const Progress& p, const Look& look) {
  const int room = look.width - 1;  // the last column would wrap on some terminals
  const std::string share = rounded(100 * std::clamp(p.fraction, 0.0, 1.0), 0) + " %";
  std::string line = std::string(share.size() < 5 ? 5 - share.size() : 0, ' ') + share;
  std::string shown;
  const auto left_beside = [&](const std::string& part) {
    return room - static_cast<int>(line.size() + shown.size() + 2 + part.size());
  };
  // Step and bits per byte come before the bar, a bar of ten before the rates.
  const std::vector<std::string> all = parts(p);
  int for_bar = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const int left = left_beside(all[i]);
    if (left < for_bar) break;
    shown += "  " + all[i];
    if (i == 1 && left >= kBarStep + 2) for_bar = kBarStep + 2;
  }
  const int left = left_beside("");
  // In whole tens, so that it keeps its length while the numbers beside it change theirs.
  const int length = std::min(left / kBarStep * kBarStep, kMaxBar);
  if (length > 0) line += "  " + bar(p.fraction, length, look);
  return line + shown;
}

void ProgressDisplay::show(const Progress& p) {
  const bool first = shown_ == Clock::time_point{};
  last_ = p;
  pending_ = true;
  if (p.valid && p.valid->step > validated_) {
    validated_ = p.valid->step;
    const bool best = p.best && p.best->step == p.valid->step;
    print(text("step ", grouped(p.valid->step), ": validation ", rounded(p.valid->bits_per_byte, 4), " bits/byte",
               best ? ", the best so far" : ""));
  }
  if (look_.terminal) {
    if (due(kRedraw)) draw(bar_line(p, look_));
  } else if (p.phase == Phase::training && (first || due(kPlainLine))) {
    print(plain_line(p));
    shown_ = Clock::now();
    pending_ = false;
  }
}

void ProgressDisplay::say(std::string_view lines) {
  print(std::string(lines));
  shown_ = {};  // the bar comes back with the next news
}

void ProgressDisplay::note(std::string_view text) {
  if (look_.terminal && due(kRedraw)) draw(std::string(text.substr(0, static_cast<std::size_t>(look_.width - 1))));
}

void ProgressDisplay::finish() {
  if (last_.step > 0 && (pending_ || look_.terminal)) print(look_.terminal ? bar_line(last_, look_) : plain_line(last_));
  last_ = {};
  pending_ = false;
  clear();
}

bool ProgressDisplay::due(Clock::duration period) { return Clock::now() - shown_ >= period; }

void ProgressDisplay::draw(const std::string& line) {
  look_ = look_of(file_);  // the terminal may have another width by now
  std::fprintf(file_, "\r\033[K%s", line.c_str());
  std::fflush(file_);
  drawn_ = true;
  pending_ = false;
  shown_ = Clock::now();
}

void ProgressDisplay::print(const std::string& line) {
  clear();
  std::fprintf(file_, "%s\n", line.c_str());
  std::fflush(file_);
}

void ProgressDisplay::clear() {
  if (!drawn_) return;
  std::fprintf(file_, "\r\033[K");
  std::fflush(file_);
  drawn_ = false;
}

}  // namespace megalith::tool
