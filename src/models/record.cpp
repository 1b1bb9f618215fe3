// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/record.h"

#include <charconv>
#include <initializer_list>
#include <limits>
#include <utility>

#include "megalith/core/check.h"
#include "megalith/core/problems.h"

namespace megalith {
namespace {

constexpr Index kMaxRecord = Index{1} << 31;
constexpr Index kMaxScanned = Index{1} << 24;  // a table of a scanned record is held in memory
constexpr Index kMaxSide = Index{1} << 20, kMaxBytes = 1024;

void check_patch(const RecordConfig& record, const std::string& at, Problems& problems) {
  const ScanConfig& c = record.scan;
  const std::string scan = at + ".scan.", width = scan + "width", height = scan + "height", tile = scan + "tile";
  bool sound = problems.range(width, c.width, 1, kMaxSide);
  sound = problems.range(height, c.height, 1, kMaxSide) && sound;
  sound = problems.range(scan + "channels", c.channels, 1, kMaxBytes) && sound;
  sound = problems.range(tile, c.tile, 1, kMaxSide) && sound;
  if (!sound) return;
  problems.unless(c.width % c.tile == 0 && c.height % c.tile == 0, {tile, width, height}, " = ", c.tile,
                  " must divide the width ", c.width, " and the height ", c.height, " of the picture");
  const Index picture = bytes_of_picture(c);
  problems.unless(record.bytes == picture, {at + ".bytes", width, height, scan + "channels"}, " = ", record.bytes,
                  " must be the ", picture, " bytes of a picture of ", c.width, " x ", c.height, " x ", c.channels);
}

void check_split(const RecordConfig& record, const std::string& at, Problems& problems) {
  const std::string name = at + ".scan.sample_bytes";
  if (!problems.range(name, record.scan.sample_bytes, 2, kMaxBytes)) return;
  const Index samples = record.bytes / record.scan.sample_bytes;
  problems.unless(record.bytes % record.scan.sample_bytes == 0 && samples > 1, {name, at + ".bytes"}, " = ",
                  record.scan.sample_bytes, " must be so that ", at, ".bytes = ", record.bytes,
                  " is two samples or more, and whole ones");
}

/// Whole numbers with these characters between and nothing else; false where the text is otherwise.
bool read_numbers(std::string_view text, std::string_view between, std::initializer_list<Index*> numbers) {
  for (Index* const number : numbers) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (problem != std::errc{} || *number < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (between.empty()) return text.empty();
    if (!text.starts_with(between[0])) return false;
    text.remove_prefix(1);
    between.remove_prefix(1);
  }
  return false;
}

}  // namespace

void RecordConfig::list_problems(const std::string& at, Problems& problems) const {
  const Index most = scan.kind == ScanKind::none ? kMaxRecord : kMaxScanned;
  if (!problems.range(at + ".bytes", bytes, 1, most)) return;
  if (scan.kind == ScanKind::patch) check_patch(*this, at, problems);
  if (scan.kind == ScanKind::split) check_split(*this, at, problems);
  const auto unused = [&](const char* name, Index value) {
    problems.unless(value == 0, text(at, ".scan.", name), " = ", value, " means nothing to the scan \"",
                    kNames<ScanKind>[static_cast<std::size_t>(scan.kind)], "\"; leave it out");
  };
  if (scan.kind != ScanKind::split) unused("sample_bytes", scan.sample_bytes);
  if (scan.kind == ScanKind::patch) return;
  unused("width", scan.width);
  unused("height", scan.height);
  unused("channels", scan.channels);
  unused("tile", scan.tile);
}

Index bytes_of_picture(const ScanConfig& scan) {
  Index bytes = 0;
  const bool more =
      __builtin_mul_overflow(scan.width, scan.height, &bytes) || __builtin_mul_overflow(bytes, scan.channels, &bytes);
  return more ? std::numeric_limits<Index>::max() : bytes;
}

std::string to_string(const ScanConfig& scan) {
  const std::string kind(kNames<ScanKind>[static_cast<std::size_t>(scan.kind)]);
  switch (scan.kind) {
    case ScanKind::patch:
      return text(kind, ":", scan.width, "x", scan.height, "x", scan.channels, ":", scan.tile);
    case ScanKind::split:
      return text(kind, ":", scan.sample_bytes);
    default:
      return kind;
  }
}

ScanConfig parse_scan(std::string_view name) {
  ScanConfig scan;
  const auto is = [&](ScanKind kind) {
    scan.kind = kind;
    return name.starts_with(text(kNames<ScanKind>[static_cast<std::size_t>(kind)], ":"));
  };
  const std::size_t colon = name.find(':');
  const std::string_view numbers = colon == name.npos ? std::string_view() : name.substr(colon + 1);
  if (is(ScanKind::patch) && read_numbers(numbers, "xx:", {&scan.width, &scan.height, &scan.channels, &scan.tile}))
    return scan;
  if (is(ScanKind::split) && read_numbers(numbers, "", {&scan.sample_bytes})) return scan;
  check(name == "none", "there is no scan '", name,
        "'; give patch:WxHxC:T (width, height, channels, side of a tile), split:N (bytes of a sample) or none");
  return {};
}

std::string in_words(const RecordConfig& record) {
  if (record.bytes == 1) return "";
  return text("records of ", record.bytes, " bytes",
              record.scan.kind == ScanKind::none ? "" : " in the order " + to_string(record.scan));
}

}  // namespace megalith
