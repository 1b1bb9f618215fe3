// SPDX-License-Identifier: Apache-2.0
#include "quoted.h"

#include "../page/utf8.h"

namespace megalith::tool {

using page::for_each_character, page::one_line;

std::string quoted(const std::string& path) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:,@%";
  if (path.starts_with('-')) return quoted("./" + path);  // as an argument of its own it would be taken for an option
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  const bool plain = one_line(path) == path;
  std::string out = plain ? "'" : "$'";
  for_each_character(path, [&](std::string_view piece, bool) {
    if (plain) out += piece == "'" ? "'\\''" : piece;
    else out += piece == "'" || piece == "\\" ? "\\" + std::string(piece) : one_line(piece);
  });
  return out + "'";
}

}  // namespace megalith::tool
