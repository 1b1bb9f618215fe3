// SPDX-License-Identifier: Apache-2.0
#include "byte_rows.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "../json/hex.h"
#include "html.h"
#include "megalith/core/check.h"
#include "numbers.h"
#include "utf8.h"

namespace megalith::page {

// Rows break between boxes, behind a space where there is one: a box is one character, and what has more does not break.
const std::string_view kByteRowsStyle = R"css(
:root { --h1: #fdf0d5; --h2: #fbe0b0; --h3: #f9cb8b; --h4: #f5ad69; --h5: #ec8a50; --h6: #db6343; --h7: #bd3d3c; --h8: #861f3c; --hot: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --h1: #262320; --h2: #382d22; --h3: #513a22; --h4: #704a22; --h5: #965a24; --h6: #bf6d2d; --h7: #e5894a; --h8: #ffc08f; --hot: #15181c; }
}
.h0 { background: none; } .h1 { background: var(--h1); } .h2 { background: var(--h2); } .h3 { background: var(--h3); }
.h4 { background: var(--h4); } .h5 { background: var(--h5); } .h6 { background: var(--h6); }
.h7 { background: var(--h7); } .h8 { background: var(--h8); }
.h0, .h1, .h2, .h3, .h4, .h5, .h6, .h7, .h8 { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.h0, .h1, .h2, .h3, .h4, .h5, .h6 { color: var(--ink); }
.h7, .h8 { color: var(--hot); }
.h6 .hex, .h7 .hex, .h8 .hex { color: inherit; border-color: currentColor; }
.rows { font: .875rem/1.75 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; }
.rows th, .rows td { padding: 0 0 0 .9em; border: 0; white-space: nowrap; text-align: right; color: var(--soft); }
.rows th { padding: 0; font-size: .8em; line-height: 2.1875; } .rows td + td { font-size: .8em; line-height: 2.1875; }
.rows td:nth-child(2) { text-align: left; color: var(--ink); width: 100%; white-space: pre-wrap; white-space: break-spaces; overflow-wrap: anywhere; tab-size: 4; font-size: 1em; line-height: 1.75; }
.rows.dump { width: auto; }
.rows.dump td:nth-child(2), .rows.dump td:nth-child(3) { width: auto; white-space: normal; text-align: left; color: var(--ink); font-size: 1em; line-height: 1.75; }
.rows.dump td:nth-child(2) span:first-child { margin-right: 1.2ch; }
.rows .head td:nth-child(n) { color: var(--soft); font-size: .8em; line-height: 2.1875; }
.rows span, .rows b { display: inline-block; white-space: pre; }
.rows i, .rows s { font-style: normal; text-decoration: none; padding: .15em 0; }
.rows s { color: var(--soft); } .rows s.h7, .rows s.h8 { color: var(--hot); }
.rows th, .rows td:nth-last-child(-n + 2) { user-select: none; -webkit-user-select: none; }
.rows tr:target th { color: var(--accent); font-weight: 700; }
@media (max-width: 40rem) {
  .rows { font-size: .75rem; } .rows td { padding-left: .6em; } .rows .head td:nth-child(n) { white-space: normal; overflow-wrap: normal; }
  .rows.dump { font-size: .64rem; } .rows.dump td { padding-left: .4em; } .rows.dump td:nth-child(2) span:first-child { margin-right: 0; }
}
)css";

namespace {

/// The start of a box in the colour of so many bits.
std::string opened(double bits, const std::string& title = "", char element = 'i') {
  std::string out = std::string("<") + element;
  if (const int colour = heat(bits); colour > 0) out += " class=h" + std::to_string(colour);
  if (!title.empty()) out += " title=" + title;
  return out + ">";
}

std::string two(float bits) { return rounded(static_cast<double>(bits), 2); }

/// The character in the colour of its least expected byte: a letter of two bytes is as surprising as that one.
std::string box(std::string_view piece, bool is_text, std::span<const float> bits) {
  std::string each;
  for (const float b : bits) each += (each.empty() ? "" : "+") + two(b);
  // A line that ends is something to predict too, and has nothing to see by itself.
  const bool ends_line = piece == "\n";
  const std::string sign = !is_text    ? "<b class=hex>" + detail::hex(piece[0]) + "</b>"
                           : ends_line ? std::string("↵")
                                       : escaped(piece);
  const double most = static_cast<double>(*std::max_element(bits.begin(), bits.end()));
  return opened(most, each, ends_line ? 's' : 'i') + sign + (ends_line ? "</s>" : "</i>");
}

std::string row_html(const ByteRow& row, const std::string& id, const std::string& cells, double sum) {
  const double mean = sum / static_cast<double>(row.end - row.begin);
  return text("<tr", id.empty() ? "" : " id=" + id, "><th>", row.label, cells, "<td>", opened(mean), rounded(mean, 2),
              "</i><td>", rounded(sum, 1), "\n");
}

constexpr std::size_t kHexRow = 16, kHexGroup = 8;

std::string hex_group(const ScoredBytes& group) {
  std::string out = "<span>";
  for (std::size_t i = 0; i < group.bytes.size(); ++i) {
    if (i > 0) out += ' ';
    out += opened(static_cast<double>(group.bits[i]), two(group.bits[i])) + detail::hex(group.bytes[i]) + "</i>";
  }
  return out + "</span>";
}

/// Neighbours of one colour in one box.
std::string ascii_group(const ScoredBytes& group) {
  std::string out = "<span>";
  for (std::size_t i = 0; i < group.bytes.size(); ++i) {
    const double bits = static_cast<double>(group.bits[i]);
    if (i == 0 || heat(bits) != heat(static_cast<double>(group.bits[i - 1]))) out += (i == 0 ? "" : "</i>") + opened(bits);
    const char c = group.bytes[i];
    out += c >= 0x20 && c < 0x7F ? escaped(std::string_view(&c, 1)) : "·";
  }
  return out + "</i></span>";
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

int heat(double bits) {
  return static_cast<int>(std::upper_bound(kHeatSteps.begin(), kHeatSteps.end(), bits) - kHeatSteps.begin());
}

ScoredBytes ScoredBytes::from_to(std::size_t begin, std::size_t end) const {
  return {bytes.substr(begin, end - begin), bits.subspan(begin, end - begin)};
}

double ScoredBytes::sum() const {
  double all = 0;
  for (const float b : bits) all += static_cast<double>(b);
  return all;
}

std::string hex_offset(std::size_t offset) {
  std::array<char, 24> out{};
  std::snprintf(out.data(), out.size(), "%06zx", offset);
  return out.data();
}

bool is_binary(std::string_view bytes) {
  if (bytes.find('\0') != bytes.npos) return true;
  constexpr std::string_view kCommon = "\r\f\b\033";
  std::size_t others = 0;
  for_each_character(bytes, [&](std::string_view piece, bool is_text) {
    if (!is_text && kCommon.find(piece[0]) == kCommon.npos) ++others;
  });
  return others > bytes.size() / 10;
}

std::vector<ByteRow> text_rows(std::string_view bytes) {
  constexpr std::size_t kSoftEnd = 250, kEnd = 320;  // of a row: behind a space, or anywhere
  std::vector<ByteRow> rows;
  std::size_t at = 0, row = 0, line = 0, number = 1;
  const auto end_row = [&] {
    rows.push_back({row, at, row == line ? text(number) : text("+", row - line)});
    row = at;
  };
  for_each_character(bytes, [&](std::string_view piece, bool) {
    at += piece.size();
    if (piece == "\n") {
      end_row();
      line = at;
      ++number;
    } else if (at - row >= kEnd || (at - row >= kSoftEnd && piece == " ")) end_row();
  });
  if (row < at) end_row();
  return rows;
}

std::vector<ByteRow> hex_rows(std::string_view bytes) {
  std::vector<ByteRow> rows;
  for (std::size_t at = 0; at < bytes.size(); at += kHexRow)
    rows.push_back({at, std::min(at + kHexRow, bytes.size()), hex_offset(at)});
  return rows;
}

std::string text_row_html(const ScoredBytes& all, const ByteRow& row, const std::string& id) {
  const ScoredBytes part = all.from_to(row.begin, row.end);
  std::string cells = "<td>";
  std::size_t at = 0;
  for_each_character(part.bytes, [&](std::string_view piece, bool is_text) {
    cells += box(piece, is_text, part.bits.subspan(at, piece.size()));
    at += piece.size();
  });
  return row_html(row, id, cells, part.sum());
}

std::string hex_row_html(const ScoredBytes& all, const ByteRow& row, const std::string& id) {
  std::string hex = "<td>", ascii = "<td>";
  for (std::size_t at = row.begin; at < row.end; at += kHexGroup) {
    const ScoredBytes group = all.from_to(at, std::min(at + kHexGroup, row.end));
    if (at > row.begin) hex += ' ';
    hex += hex_group(group);
    ascii += ascii_group(group);
  }
  return row_html(row, id, hex + ascii, all.from_to(row.begin, row.end).sum());
}

std::vector<Surprise> most_surprising(const ScoredBytes& all, std::size_t count, bool binary) {
  std::vector<Surprise> most;
  const auto offer = [&](std::size_t begin, std::size_t end) {
    const auto bits = all.bits.subspan(begin, end - begin);
    const Surprise one{begin, end, static_cast<double>(*std::max_element(bits.begin(), bits.end()))};
    if (most.size() == count && (count == 0 || one.bits <= most.back().bits)) return;
    if (most.size() == count) most.pop_back();
    const auto behind = [](double bits, const Surprise& other) { return bits > other.bits; };
    most.insert(std::upper_bound(most.begin(), most.end(), one.bits, behind), one);
  };
  std::size_t at = 0;
  if (binary)
    for (; at < all.bytes.size(); ++at) offer(at, at + 1);
  else
    for_each_character(all.bytes, [&](std::string_view piece, bool) {
      offer(at, at + piece.size());
      at += piece.size();
    });
  return most;
}

std::string in_context(const ScoredBytes& all, const Surprise& surprise, bool binary) {
  const std::size_t before = binary ? 4 : 20, behind = binary ? 3 : 12;
  std::size_t begin = surprise.begin - std::min(before, surprise.begin);
  std::size_t end = std::min(all.bytes.size(), surprise.end + behind);
  if (!binary) {  // whole characters
    while (begin < surprise.begin && continues(all.bytes[begin])) ++begin;
    while (end < all.bytes.size() && continues(all.bytes[end])) ++end;
  }
  std::string out;
  const auto plain = [&](std::size_t from, std::size_t to) {
    const std::string_view part = all.bytes.substr(from, to - from);
    if (binary)
      for (const char byte : part) out += (out.empty() ? "" : " ") + detail::hex(byte);
    else
      for_each_character(part, [&](std::string_view piece, bool) {
        out += piece == "\n" ? "<s>↵</s>" : piece == "\t" ? " " : bytes_as_html(piece);
      });
  };
  const ScoredBytes its = all.from_to(surprise.begin, surprise.end);
  plain(begin, surprise.begin);
  if (binary) out += (out.empty() ? "" : " ") + opened(surprise.bits) + detail::hex(its.bytes[0]) + "</i>";
  else for_each_character(its.bytes, [&](std::string_view piece, bool is_text) { out += box(piece, is_text, its.bits); });
  plain(surprise.end, end);
  return out;
}

}  // namespace megalith::page
