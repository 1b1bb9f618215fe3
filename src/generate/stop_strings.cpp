// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/stop_strings.h"

#include <algorithm>
#include <utility>

#include "megalith/core/check.h"

namespace megalith {

StopStrings::StopStrings(std::vector<std::string> strings) : strings_(std::move(strings)) {
  for (const std::string& s : strings_)
    check(!s.empty() && s.size() <= kMaxLength, "a stop string has ", s.size(), " bytes, and must have from 1 to ",
          kMaxLength);
}

std::string_view StopStrings::next(std::uint8_t byte) {
  if (stopped_) return {};
  held_.erase(0, std::exchange(out_, 0));
  held_ += static_cast<char>(byte);
  for (const std::string& s : strings_) {
    if (!held_.ends_with(s)) continue;
    const std::size_t before = held_.size() - s.size();
    out_ = stopped_ ? std::min(out_, before) : before;
    stopped_ = true;
  }
  if (!stopped_) out_ = held_.size() - undecided();
  return std::string_view(held_).substr(0, out_);
}

std::string_view StopStrings::rest() {
  if (stopped_) return {};
  held_.erase(0, std::exchange(out_, 0));
  out_ = held_.size();
  return held_;
}

std::size_t StopStrings::undecided() const {
  std::size_t longest = 0;
  for (const std::string& s : strings_)
    for (std::size_t n = std::min(s.size() - 1, held_.size()); n > longest; --n)
      if (held_.ends_with(std::string_view(s).substr(0, n))) longest = n;
  return longest;
}

}  // namespace megalith
