// SPDX-License-Identifier: Apache-2.0
// PNG by libpng, which skips all chunks but those that pixels need: colour profiles and texts are where decoders had their
// holes.
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

#include "picture.h"
#include "turn.h"

namespace megalith::media {
namespace {

/// What libpng's callbacks share. It leaves by longjmp, over which no destructor runs: everything that owns memory lives
/// outside of the functions that call it.
struct Source {
  Bytes left;
  std::array<char, 200> problem{};
};

void take(png_structp png, png_bytep out, std::size_t count) {
  auto& source = *static_cast<Source*>(png_get_io_ptr(png));
  if (count > source.left.size()) png_error(png, "it ends too early");
  std::memcpy(out, source.left.data(), count);
  source.left = source.left.subspan(count);
}

[[noreturn]] void fail(png_structp png, png_const_charp problem) {
  auto& source = *static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source.problem.data(), problem, source.problem.size() - 1);
  png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

class Decoder {
 public:
  explicit Decoder(Bytes file) : source_{file} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, fail, ignore);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) png_destroy_read_struct(&png_, nullptr, nullptr);
    check(info_ != nullptr, "could not be read: libpng got no memory, or is of another version");
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Reads up to the first pixels. False where that failed.
  bool read_header() noexcept {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_read_fn(png_, &source_, take);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size() has limits of its own
    png_read_info(png_, info_);
    return true;
  }
  /// Reads the pixels into rows of 8-bit samples without alpha, and what stands behind them.
  bool read_pixels(png_bytepp rows) noexcept {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_strip_16(png_);
    png_set_expand(png_);  // palettes to colours, 1, 2 and 4 bits to 8
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }
  [[noreturn]] void refuse() const { throw Error(text("is a PNG that libpng cannot read: ", source_.problem.data())); }

  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }
  std::int64_t row_bytes() const { return static_cast<std::int64_t>(png_get_rowbytes(png_, info_)); }
  bool coloured() const { return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) != 0; }
  bool has_16_bits() const { return png_get_bit_depth(png_, info_) == 16; }
  bool has_alpha() const {
    return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
  }

 private:
  Source source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

/// Read here, since libpng takes as much memory for EXIF data as their chunk claims to have.
int orientation(Bytes file) {
  ByteReader in(file.subspan(8), std::endian::big);
  while (in.left().size() >= 8) {
    const auto size = in.number<std::uint32_t>();
    const std::string_view name = as_text(in.take(4));
    if (size > in.left().size()) break;
    const Bytes content = in.take(size);
    if (name == "eXIf") return exif_orientation(content);
    in.take(std::min<std::size_t>(in.left().size(), 4));  // the CRC
  }
  return 1;
}

}  // namespace

Picture read_png(Bytes file, std::int64_t max_pixels) {
  Decoder decoder(file);
  if (!decoder.read_header()) decoder.refuse();
  check_size(decoder.width(), decoder.height(), max_pixels);
  constexpr std::int64_t kMostDeflated = 1032;  // zlib's format makes no byte of more
  check_holds(decoder.width(), decoder.height(), decoder.row_bytes() * decoder.height() / kMostDeflated, std::ssize(file));

  Picture picture{.width = decoder.width(), .height = decoder.height(), .channels = decoder.coloured() ? 3 : 1};
  picture.had_alpha = decoder.has_alpha();
  picture.had_16_bits = decoder.has_16_bits();
  picture.pixels.resize(static_cast<std::size_t>(picture.row_bytes() * picture.height));
  std::vector<png_bytep> rows;
  for (std::int64_t y = 0; y < picture.height; ++y) rows.push_back(picture.pixels.data() + y * picture.row_bytes());
  if (!decoder.read_pixels(rows.data())) decoder.refuse();
  return turned(std::move(picture), orientation(file));
}

}  // namespace megalith::media
