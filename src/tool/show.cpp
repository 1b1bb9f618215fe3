// SPDX-License-Identifier: Apache-2.0
// megalith show: raw bytes as a sheet of pictures, or as sound.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "interrupt.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/io/input_file.h"
#include "options.h"
#include "output_path.h"
#include "read_bytes.h"
#include "shown_as.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using media::Shape, media::SoundFormat, page::counted, page::grouped, page::one_line;

struct ShowOptions {
  std::string input, as_given, out;
  std::optional<ShownAs> as;
  std::int64_t columns = 0, first = 0, count = 0;  // 0: as many as are near to a square; all of them, within reason
};

/// A file, or standard input, which is read whole.
class Source {
 public:
  explicit Source(const std::string& path) {
    constexpr std::int64_t kMax = std::int64_t{1} << 30;
    if (path != "-") file_.emplace(path);
    else piped_ = read_all(STDIN_FILENO, "standard input", kMax);
  }
  std::int64_t size() const { return file_ ? static_cast<std::int64_t>(file_->size()) : std::ssize(piped_); }
  std::vector<std::uint8_t> read(std::int64_t begin, std::int64_t end) const {
    std::vector<std::uint8_t> out(static_cast<std::size_t>(end - begin));
    if (file_) file_->read(static_cast<std::uint64_t>(begin), std::as_writable_bytes(std::span(out)));
    else std::copy(piped_.begin() + begin, piped_.begin() + end, out.begin());
    return out;
  }

 private:
  std::optional<InputFile> file_;
  std::string piped_;
};

void note_rest(std::int64_t rest, const char* whole) {
  if (rest > 0)
    std::fprintf(stderr, "megalith: note: the last %s not a whole %s, and left out\n",
                 (counted(rest, "byte") + (rest == 1 ? " is" : " are")).c_str(), whole);
}

void append(AtomicFile& file, media::Bytes bytes) { file.write(std::as_bytes(bytes)); }

void show(const ShowOptions& options, const Source& source, const Shape& shape) {
  constexpr std::int64_t kUsual = 1024;  // what a screen can hold of small pictures
  const bool bmp = options.out.ends_with(".bmp");
  check(bmp || options.out.ends_with(".ppm") || options.out.ends_with(".pgm"), "--out ", options.out,
        ": pictures are written as .bmp, .ppm or .pgm; choose such a name, and convert the file");
  const std::int64_t all = source.size() / shape.bytes();
  check(all > options.first, options.input, " has ", counted(source.size(), "byte"), ", which are ", counted(all, "picture"),
        " of ", grouped(shape.bytes()), " bytes; give a smaller ", options.first > 0 ? "--first" : "--as");
  const std::int64_t count = std::min(all - options.first, options.count > 0 ? options.count : kUsual);
  const std::int64_t columns = options.columns > 0 ? options.columns : media::square_columns(shape, count);
  const std::int64_t begin = options.first * shape.bytes();
  check(count <= media::kMaxPixels / shape.width / shape.height, grouped(count), " pictures of ", shape.width, " x ",
        shape.height, " pixels are more than a sheet holds; give a smaller --count");
  check(shape.channels == 1 || !options.out.ends_with(".pgm"), "--out ", options.out,
        ": .pgm is for grey pictures, and these have colours; choose a name that ends in .ppm or .bmp");
  const media::Picture sheet = media::sheet(shape, columns, source.read(begin, begin + count * shape.bytes()));
  AtomicFile file(options.out);
  append(file, bmp ? media::to_bmp(sheet) : media::to_ppm(sheet));
  file.commit();
  note_rest(source.size() % shape.bytes(), "picture");
  std::printf("%s: %s of %s, %s in a row\n", one_line(options.out).c_str(), grouped(count).c_str(),
              counted(all, "picture").c_str(), grouped(std::min(columns, count)).c_str());
}

void show(const ShowOptions& options, const Source& source, const SoundFormat& format) {
  check(options.out.ends_with(".wav"), "--out ", options.out, ": sound is written as .wav; choose such a name");
  check(options.columns == 0 && options.first == 0 && options.count == 0,
        "--columns, --first and --count are for pictures, and --as ", options.as_given, " is sound; leave them out");
  const std::int64_t rest = source.size() % format.frame_bytes(), end = source.size() - rest;
  check(end > 0, options.input, " has ", counted(source.size(), "byte"), ", and a frame of ", in_words(format), " has ",
        format.frame_bytes());
  AtomicFile file(options.out);
  append(file, media::wav_header(format, end));
  constexpr std::int64_t kPiece = 1 << 20;
  for (std::int64_t at = 0; at < end; at += kPiece) append(file, source.read(at, std::min(end, at + kPiece)));
  if (end % 2 == 1) file.write(std::string_view("\0", 1));  // a chunk of odd size
  file.commit();
  note_rest(rest, "frame");
  std::printf("%s: %.1f seconds, %s\n", one_line(options.out).c_str(),
              static_cast<double>(end / format.frame_bytes()) / static_cast<double>(format.rate), in_words(format).c_str());
}

int run_show(const ShowOptions& options) {
  const InterruptWatch watch;
  check(options.input != "-" || ::isatty(STDIN_FILENO) != 1,
        "- reads standard input, which is a terminal; pipe the bytes in");
  const Source source(options.input);
  check_is_no_input("--out", options.out, options.input, nullptr);
  std::visit([&](const auto& as) { show(options, source, as); }, *options.as);
  return kDone;
}

}  // namespace

Verb add_show(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("show", "Makes a sheet of pictures, or a sound, of raw bytes");
  const auto options = std::make_shared<ShowOptions>();
  verb->add_option("bytes", options->input, "The raw bytes, or - for standard input")->required()->type_name("FILE");
  verb->add_option(
          "--as", options->as_given,
          "What they are: WIDTHxHEIGHTxCHANNELS with 1 or 3 channels, or KIND:RATE or KIND:RATE:CHANNELS, where KIND "
          "is u8, s16, s24, s32, f32, f64, mulaw or alaw")
      ->required()
      ->check(what_is_shown(options->as))
      ->type_name("WxHxC|KIND:RATE");
  verb->add_option("--out", options->out, "The file to write: .bmp, .ppm or .pgm for pictures, .wav for sound")
      ->required()
      ->type_name("FILE");
  const auto number = [&](const char* name, std::int64_t& to, std::uint64_t least, const char* about) {
    verb->add_option(name, to, about)->transform(whole_number(least))->type_name("N");
  };
  number("--columns", options->columns, 1, "Pictures in a row of the sheet [as many as make it nearly square]");
  number("--first", options->first, 0, "Leaves out so many pictures [0]");
  number("--count", options->count, 1, "Shows so many pictures [1024 at most]");
  verb->footer(
      "What a model of pictures writes: megalith generate RUN --bytes 12288 | megalith show - --as 64x64x3 --out x.bmp");
  return {verb, [options] { return run_show(*options); }};
}

}  // namespace megalith::tool
