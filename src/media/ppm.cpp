// SPDX-License-Identifier: Apache-2.0
// PPM and PGM, as Netpbm defines them (ppm(5), pgm(5)): a header of text, then rows of samples.
#include "byte_writer.h"
#include "picture.h"

namespace megalith::media {
namespace {

bool is_space(std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The next character of the header; of a comment, the end of its line.
std::uint8_t next_character(ByteReader& header) {
  auto c = header.number<std::uint8_t>();
  if (c == '#')
    while (c != '\n' && c != '\r') c = header.number<std::uint8_t>();
  return c;
}

/// The next number of the header, with the one character after it.
std::int64_t next_number(ByteReader& header) {
  std::uint8_t c = next_character(header);
  while (is_space(c)) c = next_character(header);
  std::int64_t n = 0;
  int digits = 0;
  for (; c >= '0' && c <= '9' && digits < 10; c = next_character(header), ++digits) n = 10 * n + (c - '0');
  check(digits > 0 && digits < 10 && is_space(c), "has a header in which a number is missing or too long: it is damaged");
  return n;
}

/// Samples of one byte, or of two with the high one first, as one byte each: 0 stays 0, and `white` is 255.
void append_bytes(Bytes samples, int white, std::vector<std::uint8_t>& out) {
  const std::size_t wide = white > 255 ? 2 : 1;
  for (std::size_t i = 0; i < samples.size(); i += wide) {
    const int sample = wide == 2 ? samples[i] << 8 | samples[i + 1] : samples[i];
    check(sample <= white, "has a sample of ", sample, ", above the ", white, " that its header calls white: it is damaged");
    out.push_back(static_cast<std::uint8_t>(white == 65535 ? sample >> 8 : (sample * 255 + white / 2) / white));
  }
}

}  // namespace

Picture read_ppm(Bytes file, std::int64_t max_pixels) {
  ByteReader in(file);
  const bool grey = as_text(in.take(2)) == "P5";
  Picture picture{.channels = grey ? 1 : 3};
  picture.width = next_number(in);
  picture.height = next_number(in);
  const std::int64_t white = next_number(in);
  check(white >= 1 && white <= 65535, "has a header that calls ", white,
        " white, and 1 to 65535 is what it may: it is damaged");
  check_size(picture.width, picture.height, max_pixels);

  const std::int64_t samples = picture.row_bytes() * picture.height, bytes = white > 255 ? 2 * samples : samples;
  // A header of lines that end in CR LF, as some programs on Windows write them: one more byte than one blank.
  const std::size_t header = file.size() - in.left().size();
  if (std::ssize(in.left()) == bytes + 1 && file[header - 1] == '\r' && file[header] == '\n') in.take(1);
  check_holds(picture.width, picture.height, bytes, std::ssize(in.left()));
  const Bytes all = in.take(static_cast<std::size_t>(bytes)), rest = in.left();
  check(rest.size() < 2 || rest[0] != 'P' || rest[1] < '1' || rest[1] > '7',
        "holds several pictures; give each a file of its own, as pamsplit does");
  picture.had_16_bits = white > 255;
  picture.pixels.reserve(static_cast<std::size_t>(samples));
  append_bytes(all, static_cast<int>(white), picture.pixels);
  return picture;
}

std::vector<std::uint8_t> to_ppm(const Picture& picture) {
  const char* const kind = picture.channels == 1 ? "P5" : "P6";
  std::vector<std::uint8_t> file = ByteWriter().text(text(kind, "\n", picture.width, " ", picture.height, "\n255\n")).take();
  file.insert(file.end(), picture.pixels.begin(), picture.pixels.end());
  return file;
}

}  // namespace megalith::media
