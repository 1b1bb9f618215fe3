// SPDX-License-Identifier: Apache-2.0
#include "line_bits.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "megalith/core/check.h"

namespace megalith::tool {

using page::one_line, page::rounded;

void LineBits::add(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes,
                   std::span<const float> bits) {
  if (offset == 0) {
    finish();
    path_ = path;
    line_ = 0;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes_ == 0) {
      ++line_;
      offset_ = offset + static_cast<std::int64_t>(i);
    }
    ++bytes_;
    bits_ += static_cast<double>(bits[i]);
    if (bytes[i] == '\n') print();
    else if (text_.size() < kShownOfLine) text_ += static_cast<char>(bytes[i]);
  }
}

void LineBits::finish() {
  if (bytes_ > 0) print();
}

void LineBits::print() {
  check(std::isfinite(bits_), "line ", line_, " of ", path_, " has no finite surprisal; the model's weights are damaged");
  const double mean = bits_ / static_cast<double>(bytes_);
  if (json_) {
    const nlohmann::ordered_json line{{"file", path_}, {"line", line_},         {"offset", offset_}, {"bytes", bytes_},
                                      {"bits", bits_}, {"bits_per_byte", mean}, {"text", text_}};
    output_.add(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    output_.add(text(rounded(bits_, 2), '\t', rounded(mean, 4), '\t', one_line(path_), ':', line_, '\t', one_line(text_)));
  }
  text_.clear();
  bytes_ = 0;
  bits_ = 0;
}

void LoneLines::add(const std::string& path, std::string_view bytes) {
  waiting_ += bytes;
  score(path, false);
}

void LoneLines::end(const std::string& path) {
  score(path, true);
  offset_ = 0;
}

std::vector<std::string_view> whole_lines(std::string_view bytes, bool ended) {
  constexpr std::size_t kMaxLine = std::size_t{1} << 20;
  std::vector<std::string_view> lines;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == bytes.npos && !ended && bytes.size() < kMaxLine) break;
    lines.push_back(bytes.substr(0, std::min(end == bytes.npos ? bytes.size() : end + 1, kMaxLine)));
    bytes.remove_prefix(lines.back().size());
  }
  return lines;
}

void LoneLines::score(const std::string& path, bool ended) {
  const std::vector<std::string_view> lines = whole_lines(waiting_, ended);
  if (lines.empty()) return;
  std::size_t done = 0;
  for (const std::string_view line : lines) done += line.size();
  const std::span<const float> bits = scorer_.score(lines);
  sink_(path, offset_, {reinterpret_cast<const std::uint8_t*>(waiting_.data()), done}, bits);
  waiting_.erase(0, done);
  offset_ += static_cast<std::int64_t>(done);
}

}  // namespace megalith::tool
