// SPDX-License-Identifier: Apache-2.0
// megalith raw: raw bytes of pictures or of sound.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../media/formats.h"
#include "../page/numbers.h"
#include "../page/utf8.h"
#include "data_options.h"
#include "dimensions.h"
#include "interrupt.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/runtime/machine_memory.h"
#include "megalith/train/corpus.h"
#include "output_path.h"
#include "progress.h"
#include "quoted.h"
#include "raw_pictures.h"
#include "raw_sounds.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using media::Contents, media::Format, page::counted, page::grouped, page::one_line;

struct RawOptions {
  std::vector<std::string> inputs;
  FilePatterns patterns;
  std::string out, size, fit = "shrink";
  RawPictureOptions pictures;
  RawSoundOptions sounds;
};

/// The bytes of a file from the first on, `most` of them at most.
std::vector<std::uint8_t> bytes_of(const Corpus& corpus, const CorpusFile& file, std::int64_t most) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::min(file.size, most)));
  corpus.read(file.offset, bytes);
  return bytes;
}

const Format& readable(const Corpus& corpus, const CorpusFile& file) {
  const Format* const format = media::format_of(bytes_of(corpus, file, media::kFormatBytes));
  check(format != nullptr,
        "is not a picture or a sound that is known here (PNG, JPEG, PPM, PGM, BMP and WAV are read); leave it out with "
        "--exclude, or train on it as it is");
  check(format->is_read, "is ", format->name, ", which is not read; make something else of it: ", format->command);
  return *format;
}

/// What the options ask for that the first file is not.
void check_options(const RawOptions& options, const Format& format) {
  const bool picture = format.contents == Contents::picture;
  const RawPictureOptions& pictures = options.pictures;
  check(picture || !(pictures.size || pictures.grey || pictures.rgb),
        "is a sound: --size, --grey and --rgb are for pictures; leave them out");
  check(!picture || !(options.sounds.mono || options.sounds.mu_law),
        "is a picture: --mono and --mu-law are for sounds; leave them out");
}

void check_alike(const Format& format, const Format& first, const std::string& path) {
  check(format.contents == first.contents, "is ", format.name, ", and ", path, " ", first.name,
        ": pictures and sounds do not go into one file; convert them one after the other");
}

std::vector<std::uint8_t> whole(const Corpus& corpus, const CorpusFile& file) {
  constexpr std::int64_t kLarge = 1 << 26;  // what every machine has
  check(file.size <= kLarge || 2 * static_cast<double>(file.size) <= free_memory(), "has ", grouped(file.size),
        " bytes, for which there is not enough memory; cut it up");
  return bytes_of(corpus, file, file.size);
}

/// Calls f; its Error is the end of a sentence that begins with the file's name.
template <class F>
void about(const CorpusFile& file, F&& f) {
  try {
    f();
  } catch (const Error& error) {
    throw Error(file.path + " " + error.what());
  }
}

/// Puts all files into `out`: RawPictures or RawSounds.
template <class Out>
int convert(const RawOptions& options, const Corpus& corpus, const Format& first, Out out, AtomicFile& file) {
  ProgressDisplay display(stderr);
  std::int64_t done = 0;
  for (const CorpusFile& each : corpus.files()) {
    about(each, [&] {
      check_alike(readable(corpus, each), first, corpus.files()[0].path);
      out.add(each.path, whole(corpus, each));
    });
    display.note(text(grouped(++done), " of ", counted(std::ssize(corpus.files()), "file")));
  }
  file.commit();
  display.finish();
  for (const std::string& note : out.notes()) std::fprintf(stderr, "megalith: note: %s\n", one_line(note).c_str());
  const bool picture = first.contents == Contents::picture;
  std::printf("to %s: megalith show %s --as %s --out %s\n", picture ? "look at them" : "hear them",
              quoted(options.out).c_str(), out.as().c_str(), picture ? "sheet.bmp" : "sound.wav");
  std::printf("%s: train with %s\n", out.summary().c_str(), out.options().c_str());
  return kDone;
}

int run_raw(const RawOptions& options) {
  const InterruptWatch watch;
  const Corpus corpus(options.inputs, "", Folders::without_runs, options.patterns);
  const Format* first = nullptr;
  about(corpus.files()[0], [&] {
    first = &readable(corpus, corpus.files()[0]);
    check_options(options, *first);
  });
  check_is_no_input("--out", options.out, "", &corpus);
  AtomicFile file(options.out);
  if (first->contents == Contents::picture)
    return convert(options, corpus, *first, RawPictures(options.pictures, file), file);
  return convert(options, corpus, *first, RawSounds(options.sounds, file), file);
}

constexpr std::array<std::pair<const char*, media::Fit>, 3> kFits{
    {{"crop", media::Fit::crop}, {"tile", media::Fit::tile}, {"shrink", media::Fit::shrink}}};

CLI::Validator a_size(std::optional<media::Size>& size) {
  return {[&size](std::string& given) {
            const auto all = dimensions(given);
            if (!all || all->size() != 2) return text("'", given, "' is not a width and a height such as 64x64");
            size = media::Size{all->at(0), all->at(1)};
            return std::string();
          },
          ""};
}

CLI::Validator a_fit(media::Fit& fit) {
  return {[&fit](std::string& given) {
            for (const auto& [name, value] : kFits)
              if (given == name) {
                fit = value;
                return std::string();
              }
            return text("'", given, "' is neither crop nor tile nor shrink");
          },
          ""};
}

}  // namespace

Verb add_raw(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("raw", "Makes raw bytes, which models learn from, of pictures or of sounds");
  const auto options = std::make_shared<RawOptions>();
  verb->add_option("input", options->inputs,
                   "PNG, JPEG, PPM, PGM and BMP, or WAV, files, or folders that stand for all files under them")
      ->required()
      ->type_name("PATH");
  verb->add_option("--out", options->out, "The bytes, file behind file in path order")->required()->type_name("FILE");
  CLI::Option* size = verb->add_option("--size", options->size, "Makes all pictures this wide and high, in pixels")
                          ->check(a_size(options->pictures.size))
                          ->type_name("WxH");
  verb->add_option(
          "--fit", options->fit,
          "With --size, what is taken of a larger picture: shrink reduces it by the largest whole number that leaves "
          "enough, each pixel the mean of a square, and takes the middle; crop takes the middle as it is; tile "
          "takes every whole tile")
      ->needs(size)
      ->check(a_fit(options->pictures.fit))
      ->capture_default_str()
      ->type_name("crop|tile|shrink");
  CLI::Option* grey = verb->add_flag("--grey", options->pictures.grey, "Makes pictures grey, a byte for each pixel");
  verb->add_flag("--rgb", options->pictures.rgb, "Makes grey pictures three bytes for each pixel, as those in colour have")
      ->excludes(grey);
  verb->add_flag("--mono", options->sounds.mono, "Mixes the channels of sounds into one");
  verb->add_flag("--mu-law", options->sounds.mu_law,
                 "Makes samples of 16 bits one byte each, as telephony does (ITU-T G.711)");
  add_patterns(*verb, options->patterns);
  verb->footer(
      "Pictures give rows from the top, pixels from the left, red, green and blue; transparency is left out, and pictures\n"
      "are turned as their EXIF orientation says. Sounds give their samples, low byte first, channels in turn.\n"
      "Sounds are not resampled; for mu-law at 8 kHz: sox IN.wav -r 8000 -c 1 -b 16 OUT.wav, then --mu-law.\n"
      "What it prints last are the options to train with.");
  return {verb, [options] { return run_raw(*options); }};
}

}  // namespace megalith::tool
