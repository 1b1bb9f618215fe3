// SPDX-License-Identifier: Apache-2.0
#include "data_notes.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "../media/formats.h"
#include "../page/numbers.h"
#include "../page/utf8.h"
#include "megalith/core/check.h"
#include "megalith/train/record_windows.h"
#include "megalith/train/training_data.h"

namespace megalith::tool {
namespace {

using page::counted, page::grouped, page::rounded;

/// The format of a file of the corpus, or null.
const media::Format* format_of(const Corpus& corpus, const CorpusFile& file) {
  std::array<std::uint8_t, media::kFormatBytes> start{};
  const auto bytes = std::span(start).first(static_cast<std::size_t>(std::min<std::int64_t>(file.size, std::ssize(start))));
  corpus.read(file.offset, bytes);
  return media::format_of(bytes);
}

/// Tells files apart: the size, and a hash of the start.
using Content = std::pair<std::int64_t, std::size_t>;

Content content(const Corpus& corpus, const CorpusFile& file) {
  std::string start(static_cast<std::size_t>(std::min<std::int64_t>(file.size, 1 << 16)), '\0');
  corpus.read(file.offset, std::span(reinterpret_cast<std::uint8_t*>(start.data()), start.size()));
  return {file.size, std::hash<std::string>()(start)};
}

/// How many files to validate on are learned from as well, under whatever name, copies too.
std::int64_t count_overlap(const Corpus& train, const Corpus& valid) {
  std::set<Content> learned;
  std::set<std::int64_t> sizes;
  for (const CorpusFile& file : valid.files()) sizes.insert(file.size);
  for (const CorpusFile& file : train.files())
    if (sizes.contains(file.size)) learned.insert(content(train, file));
  return std::count_if(valid.files().begin(), valid.files().end(),
                       [&](const CorpusFile& file) { return learned.contains(content(valid, file)); });
}

void note_overlap(const Corpus& train, const Corpus& valid, std::vector<std::string>& notes) {
  const std::int64_t both = count_overlap(train, valid);
  if (both > 0)
    notes.push_back(text(grouped(both), " of ", counted(std::ssize(valid.files()), "validation file"),
                         both == 1 ? " is" : " are", " learned from as well: validation will look better than it is"));
}

/// Files of formats that are noted: which, the first of them, and their bytes.
struct Found {
  std::map<std::string_view, std::int64_t> files_of{};
  std::string first{};
  std::int64_t files = 0, bytes = 0, pictures = 0, sounds = 0;  // pictures that `megalith raw` reads, sounds of any format

  void add(const CorpusFile& file, const media::Format& format) {
    if (files++ == 0) first = file.path;
    ++files_of[format.name];
    bytes += file.size;
    if (format.contents == media::Contents::picture && format.is_read) ++pictures;
    if (format.contents == media::Contents::sound) ++sounds;
  }
  /// "3 of 10 files to learn from, 12 % of the bytes, are compressed (PNG 2, gzip 1), such as a.png".
  std::string describe(const Corpus& train, const char* what) const {
    std::string formats;
    for (const auto& [name, n] : files_of) formats += text(formats.empty() ? "" : ", ", name, " ", grouped(n));
    const double share = 100 * static_cast<double>(bytes) / static_cast<double>(train.size());
    return text(grouped(files), " of ", counted(std::ssize(train.files()), "file"), " to learn from, ",
                rounded(share, share < 10 ? 1 : 0), " % of the bytes, ", files == 1 ? "is " : "are ", what, " (", formats,
                "), such as ", page::one_line(first));
  }
};

void note_formats(const Corpus& train, std::vector<std::string>& notes) {
  Found compressed, with_header;
  for (const CorpusFile& file : train.files()) {
    const media::Format* const format = format_of(train, file);
    if (format == nullptr) continue;
    if (format->is_compressed) compressed.add(file, *format);
    else if (format->is_read) with_header.add(file, *format);
  }
  if (compressed.files > 0)
    notes.push_back(
        text(compressed.describe(train, "compressed"), ": nothing can be learned from them; ",
             compressed.pictures > 0 ? "`megalith raw` makes pixels of PNG and JPEG; " : "",
             compressed.sounds > 0 ? "sox or ffmpeg makes WAV of sounds, and `megalith raw` samples of that; " : "",
             compressed.files > compressed.pictures + compressed.sounds ? "unpack them or " : "", "leave them out"));
  if (with_header.files > 0)
    notes.push_back(text(with_header.describe(train, "in a format with a header"), ", which is learned as if it were ",
                         with_header.sounds > 0 ? "sound" : "pixels",
                         ": `megalith raw` leaves it out, and says with which options to train"));
}

/// Of files to do something with, bytes at their ends that are left out, left_out(size) of each.
template <class F>
void note_left_out(const Corpus& data, const char* purpose, const std::string& why, F&& left_out,
                   std::vector<std::string>& notes) {
  std::int64_t files = 0, bytes = 0;
  for (const CorpusFile& file : data.files()) {
    const std::int64_t end = left_out(file.size);
    files += end > 0 ? 1 : 0;
    bytes += end;
  }
  if (files > 0)
    notes.push_back(text(counted(bytes, "byte"), " at the ends of ", grouped(files), " of ",
                         counted(std::ssize(data.files()), "file"), " to ", purpose, bytes == 1 ? " is" : " are",
                         " left out: they make no whole ", why));
}

void note_records(const Corpus& train, const Corpus* valid, const RunConfig& run, std::vector<std::string>& notes) {
  const RecordConfig& record = run.model.record;
  if (record.bytes == 1) return;
  const Index length = run.train.length > 0 ? run.train.length : run.model.length, patch = run.model.scales[0].patch;
  const std::string bytes = counted(record.bytes, "byte");
  note_left_out(
      train, "learn from", "window that begins at a record of " + bytes,
      [&](std::int64_t size) { return RecordWindows::left_out(size, length, record); }, notes);
  if (valid != nullptr && record.scan.kind != ScanKind::none)
    note_left_out(
        *valid, "validate on", "record of " + bytes, [&](std::int64_t size) { return size % record.bytes; }, notes);
  if (record.bytes % patch != 0 && patch % record.bytes != 0)
    notes.push_back(text("records of ", bytes, " and patches of ", patch,
                         ": neither divides the other, so that a byte's place in its patch changes from record to record"));
}

std::string size_of(const Corpus& corpus) {
  return text(counted(corpus.size(), "byte"), " in ", counted(std::ssize(corpus.files()), "file"));
}

/// Which share of the windows comes from which path, of those that have the most of them.
std::string shares_of(const Corpus& train, const DataConfig& data) {
  constexpr std::size_t kMost = 8;
  std::vector<std::int64_t> bytes(data.weights.size()), files(data.weights.size());
  for (const CorpusFile& file : train.files()) bytes[file.path_index] += file.size, ++files[file.path_index];
  std::vector<std::size_t> order(data.weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return data.weights[a] > data.weights[b]; });
  const double sum = std::accumulate(data.weights.begin(), data.weights.end(), 0.0);
  std::string all;
  for (const std::size_t i : std::span(order).first(std::min(order.size(), kMost))) {
    const double share = 100 * data.weights[i] / sum;
    all += text(all.empty() ? "" : ", ", rounded(share, share < 10 ? 1 : 0), " % from ", page::one_line(data.train[i]), " (",
                counted(bytes[i], "byte"), " in ", counted(files[i], "file"), ")");
  }
  return order.size() > kMost ? text(all, ", the rest from ", order.size() - kMost, " more") : all;
}

}  // namespace

DataNotes notes_on(const RunConfig& run) {
  const DataConfig& data = run.data;
  DataConfig files = data;
  files.separator = "";  // sizes are those of the files
  const Corpus train = open_corpus(data.train, files);
  DataNotes about{size_of(train) + " to learn from", data.weights.empty() ? "" : shares_of(train, data), {}};
  std::optional<Corpus> valid;
  if (!data.valid.empty()) {
    valid.emplace(open_corpus(data.valid, files));
    about.summary += ", " + size_of(*valid) + " to validate on";
    note_overlap(train, *valid, about.notes);
  } else if (data.valid_share > 0) {
    const auto held_out = static_cast<std::int64_t>(data.valid_share * static_cast<double>(train.size()));
    about.summary += ", " + grouped(held_out) + " of them held out to validate on";
  }
  note_formats(train, about.notes);
  note_records(train, valid ? &*valid : nullptr, run, about.notes);
  return about;
}

}  // namespace megalith::tool
