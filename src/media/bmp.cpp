// SPDX-License-Identifier: Apache-2.0
// BMP: a file header of 14 bytes, one of the headers that Windows and OS/2 have had, masks, a palette, rows from the bottom.
// https://learn.microsoft.com/windows/win32/gdi/bitmap-structures
#include <algorithm>
#include <array>
#include <bit>

#include "byte_writer.h"
#include "picture.h"

namespace megalith::media {
namespace {

constexpr std::uint32_t kFileHeader = 14, kCoreHeader = 12, kInfoHeader = 40;
enum Compression : std::uint32_t { kRgb = 0, kMasks = 3, kMasksWithAlpha = 6 };

using Colour = std::array<std::uint8_t, 3>;

/// Where a channel lies in the bits of a pixel, and how wide it is.
struct Channel {
  int shift = 0, bits = 0;

  explicit Channel(std::uint32_t mask) : shift(mask == 0 ? 0 : std::countr_zero(mask)), bits(std::popcount(mask)) {
    const std::uint64_t run = (std::uint64_t{1} << bits) - 1;
    check(bits > 0 && mask >> shift == run, "has masks of colours that are empty or in several pieces: it is damaged");
  }
  std::uint8_t of(std::uint32_t pixel) const {
    const std::uint64_t most = (std::uint64_t{1} << bits) - 1, value = pixel >> shift & most;
    return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
  }
};

struct Header {
  std::int64_t width = 0, height = 0;
  bool from_top = false;
  unsigned bits = 0;  // a pixel
  std::uint32_t compression = kRgb, colours = 0;
  std::array<std::uint32_t, 4> masks{0xFF0000, 0xFF00, 0xFF, 0};  // red, green, blue, alpha
  std::vector<Colour> palette{};

  std::int64_t row_bytes() const { return (width * bits + 31) / 32 * 4; }
};

void refuse_compressed(std::uint32_t compression) {
  check(compression == kRgb || compression == kMasks || compression == kMasksWithAlpha,
        "is a compressed BMP, which is not read; convert it: convert IN.bmp OUT.png");
}

/// The header without the palette. Leaves `in` behind it.
Header read_header(ByteReader& in) {
  Header all;
  const auto size = in.number<std::uint32_t>();
  check(size == kCoreHeader || size >= kInfoHeader, "has a header of ", size, " bytes, which no BMP has: it is damaged");
  if (size == kCoreHeader) {
    all.width = in.number<std::uint16_t>();
    all.height = in.number<std::uint16_t>();
    in.take(2);  // planes
    all.bits = in.number<std::uint16_t>();
    return all;
  }
  ByteReader header(in.take(size - sizeof size));
  all.width = header.number<std::int32_t>();
  all.height = header.number<std::int32_t>();
  all.from_top = all.height < 0;
  if (all.from_top) all.height = -all.height;
  header.take(2);
  all.bits = header.number<std::uint16_t>();
  all.compression = header.number<std::uint32_t>();
  refuse_compressed(all.compression);
  header.take(12);  // the size of the pixels, dots per metre
  all.colours = header.number<std::uint32_t>();
  header.take(4);
  if (all.compression == kRgb) return all;
  check(all.bits == 16 || all.bits == 32, "has masks of colours for pixels of ", all.bits, " bits: it is damaged");
  ByteReader& from = size == kInfoHeader ? in : header;  // an old header has its masks behind it
  for (std::size_t i = 0; i < 3; ++i) all.masks[i] = from.number<std::uint32_t>();
  if (all.compression == kMasksWithAlpha || header.left().size() >= 4) all.masks[3] = from.number<std::uint32_t>();
  return all;
}

/// Entries of `bytes` bytes each, blue, green and red first.
void read_palette(ByteReader& in, std::size_t bytes, Header& header) {
  const std::uint32_t all = std::uint32_t{1} << header.bits, count = header.colours == 0 ? all : header.colours;
  check(count <= all, "has a palette of ", count, " colours for pixels of ", header.bits, " bits: it is damaged");
  for (std::uint32_t i = 0; i < count; ++i) {
    const Bytes entry = in.take(bytes);
    header.palette.push_back({entry[2], entry[1], entry[0]});
  }
}

/// Whether pixels of 8 bits are greys themselves.
bool is_grey(const Header& header) {
  bool grey = header.bits == 8;
  for (std::size_t i = 0; i < header.palette.size(); ++i)
    grey = grey && std::all_of(header.palette[i].begin(), header.palette[i].end(), [&](auto c) { return c == i; });
  return grey;
}

/// Calls put(red, green, blue) for each pixel of a row.
template <class F>
void for_each_pixel(const Header& header, Bytes row, F&& put) {
  const auto width = static_cast<std::size_t>(header.width);
  if (header.bits <= 8) {
    const unsigned mask = (1u << header.bits) - 1;
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t bit = x * header.bits, index = row[bit / 8] >> (8 - header.bits - bit % 8) & mask;
      check(index < header.palette.size(), "has a pixel without a colour in its palette: it is damaged");
      put(header.palette[index]);
    }
    return;
  }
  const Channel red(header.masks[0]), green(header.masks[1]), blue(header.masks[2]);
  const std::size_t bytes = header.bits / 8;
  for (std::size_t x = 0; x < width; ++x) {
    std::uint32_t pixel = 0;
    for (std::size_t i = bytes; i-- > 0;) pixel = pixel << 8 | row[x * bytes + i];
    put(Colour{red.of(pixel), green.of(pixel), blue.of(pixel)});
  }
}

}  // namespace

Picture read_bmp(Bytes file, std::int64_t max_pixels) {
  ByteReader in(file);
  in.take(10);
  const auto pixels_at = in.number<std::uint32_t>();
  Header header = read_header(in);
  if (header.bits == 16 && header.compression == kRgb) header.masks = {0x7C00, 0x03E0, 0x001F, 0};
  constexpr std::array kBits{1u, 4u, 8u, 16u, 24u, 32u};
  check(std::count(kBits.begin(), kBits.end(), header.bits) > 0, "has pixels of ", header.bits,
        " bits, which is not read; convert it: convert IN.bmp OUT.png");
  check_size(header.width, header.height, max_pixels);
  if (header.bits <= 8) read_palette(in, file[kFileHeader] == kCoreHeader ? 3 : 4, header);
  check(pixels_at >= file.size() - in.left().size(), "has pixels that begin inside its header: it is damaged");
  const std::int64_t bytes = header.row_bytes() * header.height;
  check_holds(header.width, header.height, bytes + pixels_at, std::ssize(file));

  Picture picture{.width = header.width, .height = header.height, .channels = is_grey(header) ? 1 : 3};
  picture.had_alpha = header.masks[3] != 0;
  picture.pixels.reserve(static_cast<std::size_t>(picture.row_bytes() * picture.height));
  for (std::int64_t y = 0; y < header.height; ++y) {
    const std::int64_t row = header.from_top ? y : header.height - 1 - y;
    const std::int64_t at = pixels_at + row * header.row_bytes();
    for_each_pixel(header, file.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(header.row_bytes())),
                   [&](const Colour& colour) {
                     picture.pixels.insert(picture.pixels.end(), colour.begin(), colour.begin() + picture.channels);
                   });
  }
  return picture;
}

std::vector<std::uint8_t> to_bmp(const Picture& picture) {
  const bool grey = picture.channels == 1;
  const std::uint32_t colours = grey ? 256 : 0, pixels_at = kFileHeader + kInfoHeader + 4 * colours;
  const std::int64_t row = picture.row_bytes(), padded = (row + 3) / 4 * 4, bytes = padded * picture.height;
  check(pixels_at + bytes < std::int64_t{1} << 32, "a BMP of ", picture.width, " x ", picture.height,
        " pixels would be larger than the 4 GB that its header can tell; make it smaller");
  ByteWriter out;
  out.text("BM").number(static_cast<std::uint32_t>(pixels_at + bytes)).number(std::uint32_t{0}).number(pixels_at);
  out.number(kInfoHeader).number(static_cast<std::int32_t>(picture.width)).number(static_cast<std::int32_t>(picture.height));
  out.number(std::uint16_t{1}).number(static_cast<std::uint16_t>(grey ? 8 : 24)).number(std::uint32_t{kRgb});
  out.number(static_cast<std::uint32_t>(bytes)).number(std::int32_t{2835}).number(std::int32_t{2835});  // 72 dots an inch
  out.number(colours).number(std::uint32_t{0});
  for (std::uint32_t i = 0; i < colours; ++i) out.number(i << 16 | i << 8 | i);
  std::vector<std::uint8_t> file = out.take();
  file.reserve(file.size() + static_cast<std::size_t>(bytes));
  for (std::int64_t y = picture.height; y-- > 0;) {
    const std::uint8_t* const from = picture.pixels.data() + y * row;
    for (std::int64_t x = 0; x < row; x += picture.channels)
      for (int c = picture.channels; c-- > 0;) file.push_back(from[x + c]);
    file.resize(file.size() + static_cast<std::size_t>(padded - row));
  }
  return file;
}

}  // namespace megalith::media
