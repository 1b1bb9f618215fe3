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

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "megalith/core/check.h"
#include "megalith/train/record_windows.h"
#include "megalith/train/training_data.h"

namespace megalith::tool {
namespace {

using page::counted;
using page::grouped;
using page::rounded;

struct Format {
  std::string_view name, start;  // of its files
};
constexpr std::array kCompressed{Format{"gzip", "\x1f\x8b"},
                                 Format{"xz",
                                        "\xfd"
                                        "7zXZ"},
                                 Format{"zip", "PK\x03\x04"},
                                 Format{"zstd", "\x28\xb5\x2f\xfd"},
                                 Format{"bzip2", "BZh"},
                                 Format{"7z", "7z\xbc\xaf\x27\x1c"},
                                 Format{"lz4", "\x04\x22\x4d\x18"},
                                 Format{"lzip", "LZIP"},
                                 Format{"RAR", "Rar!"},
                                 Format{"PNG", "\x89PNG"},
                                 Format{"JPEG", "\xff\xd8\xff"},
                                 Format{"GIF", "GIF8"},
                                 Format{"WOFF", "wOFF"},
                                 Format{"WOFF", "wOF2"},
                                 Format{"Ogg", "OggS"},
                                 Format{"FLAC", "fLaC"}};

/// The name of the format of a file of the corpus, or nothing.
std::string_view compression(const Corpus& corpus, const CorpusFile& file) {
  std::array<std::uint8_t, 8> start{};
  const auto n = static_cast<std::size_t>(std::min<std::int64_t>(file.size, std::ssize(start)));
  corpus.read(file.offset, std::span(start).first(n));
  const std::string_view bytes(reinterpret_cast<const char*>(start.data()), n);
  for (const Format& format : kCompressed)
    if (bytes.starts_with(format.start)) return format.name;
  return {};
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

void note_compressed(const Corpus& train, std::vector<std::string>& notes) {
  std::map<std::string_view, std::int64_t> files_of;
  std::int64_t files = 0, bytes = 0;
  for (const CorpusFile& file : train.files()) {
    const std::string_view format = compression(train, file);
    if (format.empty()) continue;
    ++files_of[format];
    ++files;
    bytes += file.size;
  }
  if (files == 0) return;
  std::string formats;
  for (const auto& [format, n] : files_of) formats += text(formats.empty() ? "" : ", ", format, " ", grouped(n));
  const double share = 100 * static_cast<double>(bytes) / static_cast<double>(train.size());
  notes.push_back(text(grouped(files), " of ", counted(std::ssize(train.files()), "file"), " to learn from, ",
                       rounded(share, share < 10 ? 1 : 0), " % of the bytes, ", files == 1 ? "is" : "are", " compressed (",
                       formats, "): nothing can be learned from them; unpack them or leave them out"));
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
  note_compressed(train, about.notes);
  note_records(train, valid ? &*valid : nullptr, run, about.notes);
  return about;
}

}  // namespace megalith::tool
