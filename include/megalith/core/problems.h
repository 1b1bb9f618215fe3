// SPDX-License-Identifier: Apache-2.0
// Everything that is wrong with a set of values: whoever has to mend it should not find one fault per attempt.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/core/shape.h"

namespace megalith {

/// The names of the fields that a problem is about, such as `scales[0].stack.heads`. Its sentence begins with the first.
class Fields {
 public:
  Fields(const char* name) : names_{name} {}
  Fields(std::string name) : names_{std::move(name)} {}
  Fields(std::initializer_list<std::string> names) : names_(names) {}

  const std::string& first() const { return names_.front(); }
  /// Whether one of them is the value at `path` or lies within it, as `a.unit` and `a[0]` lie within `a`.
  bool within(std::string_view path) const {
    return std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
      if (path.empty() || name == path) return true;
      return name.starts_with(path) && (name[path.size()] == '.' || name[path.size()] == '[');
    });
  }

 private:
  std::vector<std::string> names_;
};

/// Collects problems, each a sentence and the fields that it is about.
class Problems {
 public:
  /// Adds the sentence "FIELD WORDS", where FIELD is the first of the fields; the words begin with what follows its name.
  template <class... A>
  void add(const Fields& fields, const A&... words) {
    if (left_out_.empty() && full()) {  // no sentence is made of what would not be printed
      ++count_;
      return;
    }
    if (std::any_of(left_out_.begin(), left_out_.end(), [&](const auto& path) { return fields.within(path); })) return;
    if (++count_ <= kMaxPrinted) sentences_.push_back(text(fields.first(), words...));
  }
  /// Adds it unless `ok`, which it gives back.
  template <class... A>
  bool unless(bool ok, const Fields& fields, const A&... words) {
    if (!ok) add(fields, words...);
    return ok;
  }
  /// Adds "FIELD is VALUE, and must be RANGE" unless `ok`, which it gives back.
  template <class T, class... A>
  bool require(bool ok, const Fields& fields, const T& value, const A&... range) {
    return unless(ok, fields, " is ", value, ", and must be ", range...);
  }
  /// Requires a number that is finite and not negative.
  template <class T>
  bool not_negative(const Fields& fields, T value) {
    return require(value >= 0 && std::isfinite(static_cast<double>(value)), fields, value, "0 or more");
  }
  /// Requires min <= value <= max; gives back whether that holds, for checks that make sense only then.
  bool range(const Fields& fields, Index value, Index min, Index max) {
    return unless(value >= min && value <= max, fields, " must be from ", min, " to ", max, ", not ", value);
  }

  /// Leaves out every later problem that is about the value at this path, or about a part of it, as where the value could
  /// not be read: its default in its place proves nothing.
  void leave_out(std::string path) { left_out_.push_back(std::move(path)); }

  std::size_t count() const { return count_; }
  /// Whether no more of them would be printed.
  bool full() const { return count_ > kMaxPrinted; }
  std::string all() const {
    std::string joined;
    for (const std::string& sentence : sentences_) joined += (joined.empty() ? "" : "; ") + sentence;
    return full() ? text(joined, "; and ", count_ - kMaxPrinted, " more") : joined;
  }
  /// Throws Error with all of them after the words of `before`; does nothing where there are none.
  template <class... A>
  void report(const A&... before) const {
    if (count() > 0) throw Error(text(before..., all()));
  }

 private:
  static constexpr std::size_t kMaxPrinted = 16;  // a damaged file may have millions

  std::size_t count_ = 0;
  std::vector<std::string> sentences_, left_out_;
};

}  // namespace megalith
