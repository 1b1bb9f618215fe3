// SPDX-License-Identifier: Apache-2.0
// What is wrong with a set of values, all of it: whoever has to mend it should not find one fault per attempt.
#pragma once

#include <string>
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
    if (++count_ <= kMostSaid) sentences_.push_back(text(sentence...));
  }
  /// Also tells whether the value is in range, for checks that make sense only then.
  bool range(const std::string& name, Index value, Index least, Index most) {
    const bool inside = value >= least && value <= most;
    unless(inside, name, " must be from ", least, " to ", most, ", not ", value);
    return inside;
  }

  std::size_t count() const { return count_; }
  /// Whether no more of them would be said.
  bool full() const { return count_ > kMostSaid; }
  std::string all() const {
    std::string joined;
    for (const std::string& sentence : sentences_) joined += (joined.empty() ? "" : "; ") + sentence;
    return full() ? text(joined, "; and ", count_ - kMostSaid, " more") : joined;
  }
  /// Throws Error with all of them after the words of `before`; does nothing where there are none.
  template <class... A>
  void report(const A&... before) const {
    if (count() > 0) throw Error(text(before..., all()));
  }

 private:
  static constexpr std::size_t kMostSaid = 16;  // of a damaged file there may be millions

  std::size_t count_ = 0;
  std::vector<std::string> sentences_;
};

}  // namespace megalith
