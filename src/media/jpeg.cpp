// SPDX-License-Identifier: Apache-2.0
// JPEG by libjpeg-turbo, with its exact transform: the same bytes on every machine that has the same version.
#include <cstddef>
#include <cstdio>
// jpeglib.h needs what stands before it.
// clang-format off
#include <jpeglib.h>
// clang-format on

#include <algorithm>
#include <array>
#include <csetjmp>

#include "picture.h"
#include "turn.h"

namespace megalith::media {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1, kMaxScans = 200;
constexpr std::string_view kExifName("Exif\0\0", 6);

/// Leaves libjpeg by longjmp, over which no destructor runs: everything that owns memory lives outside of the functions that
/// call it.
struct Errors {
  jpeg_error_mgr base;  // the first: libjpeg hands out pointers to it
  jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> problem;
};

[[noreturn]] void fail(j_common_ptr jpeg) {
  auto& errors = *reinterpret_cast<Errors*>(jpeg->err);
  jpeg->err->format_message(jpeg, errors.problem.data());
  std::longjmp(errors.back, 1);
}

/// A warning, which has a level below 0, is of data that are damaged or cut short, and libjpeg would go on with grey.
void fail_on_warning(j_common_ptr jpeg, int level) {
  if (level < 0) fail(jpeg);
}

/// A few bytes make a scan, and each goes over the whole picture.
void limit_scans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
  auto& errors = *reinterpret_cast<Errors*>(jpeg->err);
  std::snprintf(errors.problem.data(), errors.problem.size(), "more than %d scans", kMaxScans);
  std::longjmp(errors.back, 1);
}

class Decoder {
 public:
  Decoder() {
    jpeg_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = fail;
    errors_.base.emit_message = fail_on_warning;
  }
  ~Decoder() { jpeg_destroy_decompress(&jpeg_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Reads up to the first pixels. False where that failed.
  bool read_header(Bytes file) noexcept {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    progress_.progress_monitor = limit_scans;
    jpeg_.progress = &progress_;
    jpeg_mem_src(&jpeg_, file.data(), static_cast<unsigned long>(file.size()));
    jpeg_save_markers(&jpeg_, kExifMarker, 0xFFFF);
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }
  /// Reads the pixels, row behind row.
  bool read_pixels(std::uint8_t* out) noexcept {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_.out_color_space = coloured() ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&jpeg_);
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW row =
          out + std::size_t{jpeg_.output_scanline} * jpeg_.output_width * static_cast<unsigned>(jpeg_.output_components);
      jpeg_read_scanlines(&jpeg_, &row, 1);
    }
    jpeg_finish_decompress(&jpeg_);
    return true;
  }
  [[noreturn]] void refuse() const { throw Error(text("is a JPEG that is damaged or not read: ", errors_.problem.data())); }

  std::int64_t width() const { return jpeg_.image_width; }
  std::int64_t height() const { return jpeg_.image_height; }
  bool coloured() const { return jpeg_.jpeg_color_space != JCS_GRAYSCALE; }
  bool has_four_inks() const { return jpeg_.num_components == 4; }
  /// Before the pixels are read, after which libjpeg has forgotten the markers.
  int orientation() const {
    for (const jpeg_marker_struct* marker = jpeg_.marker_list; marker != nullptr; marker = marker->next) {
      const Bytes data(marker->data, marker->data_length);
      if (as_text(data).starts_with(kExifName)) return exif_orientation(data.subspan(kExifName.size()));
    }
    return 1;
  }

 private:
  Errors errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct jpeg_{};
};

}  // namespace

Picture read_jpeg(Bytes file, std::int64_t max_pixels) {
  Decoder decoder;
  if (!decoder.read_header(file)) decoder.refuse();
  check_size(decoder.width(), decoder.height(), max_pixels);
  constexpr std::int64_t kMostPixels = 512;  // in a byte: one bit for a block of 64 is the least that Huffman codes take
  check_holds(decoder.width(), decoder.height(), decoder.width() * decoder.height() / kMostPixels, std::ssize(file));
  check(!decoder.has_four_inks(),
        "is a JPEG for print (CMYK), whose colours are those of its profile; convert it: convert IN.jpg -colorspace sRGB "
        "OUT.png");

  Picture picture{.width = decoder.width(), .height = decoder.height(), .channels = decoder.coloured() ? 3 : 1};
  picture.pixels.resize(static_cast<std::size_t>(picture.row_bytes() * picture.height));
  const int orientation = decoder.orientation();
  if (!decoder.read_pixels(picture.pixels.data())) decoder.refuse();
  return turned(std::move(picture), orientation);
}

}  // namespace megalith::media
