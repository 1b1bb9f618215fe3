// SPDX-License-Identifier: Apache-2.0
// What is wrong with a set of values, all of it: whoever has to mend it should not find one fault per attempt.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/core/shape.h"

namespace megalith {

/// Collects sentences.
class Problems {
 public:
  template <class... A>
  void unless(bool sound, const A&... sentence) {
    if (sound) return;
    if (left_out_.empty() && full()) {
      ++count_;
      return;
    }
    const std::string words = text(sentence...);
    if (std::any_of(left_out_.begin(), left_out_.end(), [&](const auto& name) { return mentions(words, name); })) return;
    if (++count_ <= kMaxSaid) sentences_.push_back(words);
  }
  /// Also tells whether the value is in range, for checks that make sense only then.
  bool range(const std::string& name, Index value, Index least, Index most) {
    const bool inside = value >= least && value <= most;
    unless(inside, name, " must be from ", least, " to ", most, ", not ", value);
    return inside;
  }

  /// Leaves out every later sentence that names this value, as where the value could not be read: what stands in for it
  /// proves nothing.
  void leave_out(const std::string& name) { left_out_.push_back(name); }

  std::size_t count() const { return count_; }
  /// Whether no more of them would be said.
  bool full() const { return count_ > kMaxSaid; }
  std::string all() const {
    std::string joined;
    for (const std::string& sentence : sentences_) joined += (joined.empty() ? "" : "; ") + sentence;
    return full() ? text(joined, "; and ", count_ - kMaxSaid, " more") : joined;
  }
  /// Throws Error with all of them after the words of `before`; does nothing where there are none.
  template <class... A>
  void report(const A&... before) const {
    if (count() > 0) throw Error(text(before..., all()));
  }

 private:
  static constexpr std::size_t kMaxSaid = 16;  // of a damaged file there may be millions

  /// Whether a sentence has the name in it, and not only a longer one that contains it: `a.unit` is not in `a.units`.
  static bool mentions(std::string_view sentence, std::string_view name) {
    const auto in_name = [&](std::size_t i) {
      return i < sentence.size() && (std::isalnum(static_cast<unsigned char>(sentence[i])) != 0 || sentence[i] == '_');
    };
    for (std::size_t at = sentence.find(name); at != sentence.npos; at = sentence.find(name, at + 1)) {
      const bool starts = at == 0 || (!in_name(at - 1) && sentence[at - 1] != '.');
      if (starts && !in_name(at + name.size())) return true;
    }
    return false;
  }

  std::size_t count_ = 0;
  std::vector<std::string> sentences_, left_out_;
};

}  // namespace megalith
