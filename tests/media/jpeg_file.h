// SPDX-License-Identifier: Apache-2.0
// Files of JPEG, by the encoder of libjpeg.
#pragma once

#include <cstddef>
#include <cstdio>
// jpeglib.h needs what stands before it.
// clang-format off
#include <jpeglib.h>
// clang-format on

#include <cstdlib>
#include <string>
#include <vector>

namespace megalith::tests {

struct JpegFile {
  unsigned width = 8, height = 8;
  int components = 3;  // 1: grey; 3: red, green, blue; 4: inks
  std::string pixels{};
  bool progressive = false;
  bool many_scans = false;  // 253 of one component: each coefficient by itself, bit by bit
  std::string exif{};       // without a header, the tag is

  std::string whole() const {
    jpeg_compress_struct jpeg{};
    jpeg_error_mgr errors{};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    unsigned char* out = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&jpeg, &out, &size);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = components;
    jpeg.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;  // colours as fine as brightness
    if (progressive) jpeg_simple_progression(&jpeg);
    std::vector<jpeg_scan_info> scans{
        {1, {0}, 0, 0, 0, 0}};  // components, which, coefficients from and to, bits from and to
    for (int k = 1; k < 64; ++k)
      for (int low = 3; low >= 0; --low) scans.push_back({1, {0}, k, k, low == 3 ? 0 : low + 1, low});
    if (many_scans) {
      jpeg.scan_info = scans.data();
      jpeg.num_scans = static_cast<int>(scans.size());
    }
    jpeg_start_compress(&jpeg, TRUE);
    if (!exif.empty()) {
      const std::string marker = std::string("Exif\0\0", 6) + exif;
      jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(marker.data()),
                        static_cast<unsigned>(marker.size()));
    }
    while (jpeg.next_scanline < jpeg.image_height) {
      const std::size_t at = std::size_t{jpeg.next_scanline} * width * static_cast<unsigned>(components);
      auto* row = const_cast<JSAMPLE*>(reinterpret_cast<const JSAMPLE*>(&pixels[at]));
      jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    const std::string file(reinterpret_cast<const char*>(out), size);
    jpeg_destroy_compress(&jpeg);
    std::free(out);
    return file;
  }
};

}  // namespace megalith::tests
