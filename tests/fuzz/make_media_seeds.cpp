// SPDX-License-Identifier: Apache-2.0
// Writes the files of pictures and sound among the corpora:
//   fuzz_make_media_seeds tests/fuzz/corpus/media
#include <fstream>
#include <string>

#include "media/files.h"
#include "media/jpeg_file.h"
#include "media/sound.h"

namespace megalith::tests {
namespace {

struct Folder {
  std::string path;
  void write(const std::string& name, const std::string& file) const {
    std::ofstream(path + "/" + name, std::ios::binary) << file;
  }
};

void write_ppm(const Folder& folder) {
  folder.write("ppm", "P6 # of two pixels\n2 1\n255\nabcdef");
  folder.write("pgm_16_bits", "P5 1 2 65535\nabcd");
  folder.write("pgm_4_bits", "P5 2 1 15\n\1\17");
  folder.write("ppm_30_gb", "P6 100000 100000 255\nabc");
}

void write_bmp(const Folder& folder) {
  const std::string palette = "cba\0fed\0ihg\0"s, masks = low_first(0xF800, 4) + low_first(0x7E0, 4) + low_first(0x1F, 4);
  folder.write("bmp", BmpFile{.width = 3, .height = 2, .rows = "cbafedihg\0\0\0CBAFEDIHG\0\0\0"s}.whole());
  folder.write("bmp_from_top", BmpFile{.height = -1, .bits = 32, .rows = "cbaX"}.whole());
  for (const int bits : {1, 4, 8}) {
    const auto colours = std::string(bits == 1 ? palette.substr(0, 8) : palette);
    folder.write("bmp_palette_" + std::to_string(bits),
                 BmpFile{.bits = bits, .colours = bits == 1 ? 2u : 3u, .behind = colours, .rows = "\0\0\0\0"s}.whole());
  }
  folder.write("bmp_masks", BmpFile{.bits = 16, .compression = 3, .behind = masks, .rows = "abcd"}.whole());
  folder.write("bmp_alpha",
               BmpFile{.bits = 32,
                       .compression = 3,
                       .more = low_first(0xFF, 4) + low_first(0xFF00, 4) + low_first(0xFF0000, 4) + low_first(0xFF000000, 4),
                       .rows = "abcd"}
                   .whole());
  folder.write("bmp_compressed", BmpFile{.bits = 8, .compression = 1}.whole());
  folder.write("bmp_old", "BM" + low_first(0, 8) + low_first(32, 4) + low_first(12, 4) + low_first(1, 2) + low_first(1, 2) +
                              low_first(1, 2) + low_first(1, 2) + "cbafed" + "\x40\0\0\0"s);
}

void write_png(const Folder& folder) {
  folder.write("png", PngFile{.width = 2, .rows = {"abcdef"}, .chunks = png_chunk("eXIf", exif(6))}.whole());
  folder.write("png_palette", PngFile{.width = 2,
                                      .depth = 1,
                                      .colour = kPngPalette,
                                      .rows = {"\x40"},
                                      .chunks = png_chunk("PLTE", "abcdef") + png_chunk("tRNS", "\0"s)}
                                  .whole());
  folder.write("png_16_bits", PngFile{.depth = 16, .colour = kPngGreyAlpha, .rows = {"abcd"}}.whole());
  folder.write(
      "png_interlaced",
      PngFile{.width = 3, .height = 3, .colour = kPngGrey, .rows = {"a", "c", "gi", "b", "h", "def"}, .interlaced = true}
          .whole());
  folder.write("png_exif_of_1_gb", PngFile{.rows = {"abc"}, .chunks = high_first(0x41000020, 4) + "eXIf"}.whole());
  folder.write("png_damaged", PngFile{.height = 2, .rows = {"abc"}}.whole());
}

void write_jpeg(const Folder& folder) {
  const std::string whole = JpegFile{.components = 1, .pixels = std::string(64, 'a')}.whole();
  folder.write("jpeg_cut", whole.substr(0, whole.size() - 4));
  folder.write("jpeg_many_scans", JpegFile{.components = 1, .pixels = std::string(64, 'a'), .many_scans = true}.whole());
  folder.write("jpeg", JpegFile{.pixels = std::string(192, 'a'), .exif = exif(3, true)}.whole());
  folder.write("jpeg_grey", JpegFile{.components = 1, .pixels = std::string(64, 'a'), .progressive = true}.whole());
  folder.write("jpeg_inks", JpegFile{.components = 4, .pixels = std::string(256, 'a')}.whole());
}

void write_wav(const Folder& folder) {
  const std::string data = chunk("data", "abcdefgh"), s16 = wav_format(1, 1, 8000, 16);
  for (const media::SampleKind& kind : media::kSampleKinds)
    folder.write("wav_" + std::string(kind.name),
                 riff(wav_format(kind.wave, 2, 8000, 8 * kind.bytes) + chunk("data", data)));
  folder.write("wav_extensible", riff(wav_format(0xFFFE, 1, 8000, 16, extension(1, 16)) + data));
  folder.write("wav_chunks", riff(chunk("bext", "12345") + s16 + chunk("fact", "1234") + data + chunk("LIST", "INFO")));
  folder.write("wav_of_a_pipe", "RIFF" + low_first(~0u, 4) + "WAVE" + s16 + "data" + low_first(~0u, 4) + "abcdef");
  folder.write("wav_without_size", riff(s16 + "data" + low_first(0, 4) + "abcdefghijkl"));
  folder.write("wav_empty", riff(s16 + chunk("data", "") + chunk("LIST", "INFO")));
  folder.write("wav_cut", riff(s16 + data).substr(0, 50));
  folder.write("wav_adpcm", riff(wav_format(0x11, 1, 8000, 4) + data));
  folder.write("wav_unknown", riff(wav_format(0x1234, 1, 8000, 4) + data));
  folder.write("wav_of_64_bits", riff(wav_format(1, 1, 8000, 64) + data));
  folder.write("wav_without_format", riff(data));
  folder.write("wav_without_samples", riff(s16));
  folder.write("rifx", "RIFX" + high_first(44, 4) + "WAVEfmt " + high_first(16, 4) + high_first(1, 2) + high_first(1, 2) +
                           high_first(8000, 4) + high_first(16000, 4) + high_first(2, 2) + high_first(16, 2) + "data" +
                           high_first(4, 4) + "abcd");
  folder.write("rf64", "RF64" + riff(s16 + data).substr(4));
}

}  // namespace
}  // namespace megalith::tests

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const megalith::tests::Folder folder{argv[1]};
  folder.write("exif", megalith::tests::exif(8));
  megalith::tests::write_ppm(folder);
  megalith::tests::write_bmp(folder);
  megalith::tests::write_png(folder);
  megalith::tests::write_jpeg(folder);
  megalith::tests::write_wav(folder);
}
