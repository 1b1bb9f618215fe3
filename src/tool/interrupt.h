// SPDX-License-Identifier: Apache-2.0
// Ctrl-C.
#pragma once

namespace megalith::tool {

/// While one lives, the first Ctrl-C only asks to stop and the second ends the process at once, with exit code 130.
/// One at a time: a signal handler belongs to the process.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// Whether Ctrl-C was pressed.
  bool asked() const;
};

}  // namespace megalith::tool
