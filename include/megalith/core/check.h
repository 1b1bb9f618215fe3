// SPDX-License-Identifier: Apache-2.0
// The library's one exception, and the function that throws it.
#pragma once

#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

namespace megalith {

/// Thrown where bad input enters: constructors, loading, data, and the entry points of models, training and generation.
/// Its message is one sentence that names the value and what to change.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Joins values into a text with `operator<<`, the same whatever locale the program has: such texts go into files too.
template <class... A>
std::string text(const A&... parts) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  (out << ... << parts);
  return out.str();
}

/// Throws Error with the joined message unless `condition` holds.
template <class... A>
void check(bool condition, const A&... message) {
  if (!condition) throw Error(text(message...));
}

}  // namespace megalith
