// SPDX-License-Identifier: Apache-2.0
#include "byte_input.h"

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "megalith/core/check.h"
#include "read_bytes.h"

namespace megalith::tool {

bool reads_standard_input(const std::vector<std::string>& data, int descriptor) {
  if (!data.empty()) {
    if (std::find(data.begin(), data.end(), "-") == data.end()) return false;
    check(data.size() == 1, "--data - reads standard input, and stands alone; name files only, or pipe all bytes in");
    check(::isatty(descriptor) != 1, "--data - reads standard input, which is a terminal; pipe the bytes in");
    return true;
  }
  // A file that is empty, a terminal or /dev/null is what a command has whose caller thought of no input.
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  if (known && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || (S_ISREG(status.st_mode) && status.st_size > 0)))
    return true;
  throw CLI::RequiredError("--data");
}

InputPieces::InputPieces(const char* purpose, std::size_t multiple)
    : multiple_(multiple), buffer_(multiple * std::max<std::size_t>(1, (std::size_t{1} << 16) / multiple)) {
  next();
  check(size_ > 0, "standard input is empty; pipe in the bytes to ", purpose, ", or name files with --data");
}

void InputPieces::next() {
  const auto some = [&](std::size_t at) {
    return read_some(0, std::as_writable_bytes(std::span(buffer_).subspan(at)), "standard input");
  };
  size_ = some(0);
  for (std::size_t more = size_; multiple_ > 1 && more > 0 && size_ < buffer_.size(); size_ += more) more = some(size_);
}

}  // namespace megalith::tool
