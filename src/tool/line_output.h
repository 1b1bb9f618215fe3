// SPDX-License-Identifier: Apache-2.0
// Lines for whoever reads standard output, who may leave.
#pragma once

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>

#include "megalith/core/check.h"

namespace megalith::tool {

/// Keeps lines until they are sent, so that a write that failed is known with its reason.
class LineOutput {
 public:
  void add(std::string_view line) {
    waiting_ += line;
    waiting_ += '\n';
    if (waiting_.size() >= kBlock) send();
  }
  /// Writes them at once: somebody may be reading along. False when the reader is gone, who then has all that it wanted.
  bool send() {
    if (gone_) return false;
    const bool sent =
        std::fwrite(waiting_.data(), 1, waiting_.size(), stdout) == waiting_.size() && std::fflush(stdout) == 0;
    check(sent || errno == EPIPE, "could not write to standard output");
    waiting_.clear();
    gone_ = !sent;
    if (gone_) std::clearerr(stdout);  // it is no failure
    return sent;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 16;
  std::string waiting_;
  bool gone_ = false;
};

}  // namespace megalith::tool
