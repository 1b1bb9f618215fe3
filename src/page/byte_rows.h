// SPDX-License-Identifier: Apache-2.0
// Bytes in rows of a table, text in lines and other bytes in hexadecimal, each on a ground of the colour of its surprisal.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace megalith::page {

/// Where each colour but the first begins, in bits. 8 is the surprisal of a byte of which nothing is known.
inline constexpr std::array<double, 8> kHeatSteps{0.5, 1, 2, 3, 4.5, 6, 8, 12};

/// The colour of a surprisal in bits: 0, below half a bit, to 8, from 12 on.
int heat(double bits);

/// The beginning of a file and the surprisal of each of its bytes in bits.
struct ScoredBytes {
  std::string_view bytes;
  std::span<const float> bits;

  ScoredBytes from_to(std::size_t begin, std::size_t end) const;
  double sum() const;
};

/// Whether bytes are no text: one is 0, or more than a tenth of them neither belong to characters nor are common controls.
bool is_binary(std::string_view bytes);

/// Six digits, or as many as it needs.
std::string hex_offset(std::size_t offset);

struct ByteRow {
  std::size_t begin = 0, end = 0;  // the bytes that it shows
  std::string label;               // the number of its line, "+250" in a row that goes on with a long one, or its offset
};

/// A row for each line; a line of more than about 250 bytes goes on in further rows.
std::vector<ByteRow> text_rows(std::string_view bytes);
/// A row for every 16 bytes.
std::vector<ByteRow> hex_rows(std::string_view bytes);

/// The <tr> of a row: its label, each character a box of its own, bits per byte and bits. `id` may be empty.
std::string text_row_html(const ScoredBytes& all, const ByteRow& row, const std::string& id);
/// The same with each byte in hexadecimal, and the ASCII characters beside.
std::string hex_row_html(const ScoredBytes& all, const ByteRow& row, const std::string& id);

/// A character or byte that surprised.
struct Surprise {
  std::size_t begin = 0, end = 0;  // its bytes
  double bits = 0;                 // of the least expected of them
};
/// The `count` most surprising, the first first: characters of text or, if `binary`, bytes.
std::vector<Surprise> most_surprising(const ScoredBytes& all, std::size_t count, bool binary);
/// A surprise in its colour with some of what stands before and behind it, on one line.
std::string in_context(const ScoredBytes& all, const Surprise& surprise, bool binary);

/// What the above needs, within an element of the class "rows".
extern const std::string_view kByteRowsStyle;

}  // namespace megalith::page
