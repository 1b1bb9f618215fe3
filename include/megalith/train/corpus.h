// SPDX-License-Identifier: Apache-2.0
// Training and evaluation data: files, read as the bytes that they are.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "megalith/train/file_patterns.h"

namespace megalith {

struct CorpusSlice;

/// One file of a corpus, or a piece of one: its bytes are [offset, offset + size) of the whole.
struct CorpusFile {
  std::string path;
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::int64_t begin = 0;      // the first of them, in the file
  std::size_t path_index = 0;  // which of the corpus's paths it stands under, from 0
};

/// What a folder among the paths of a corpus stands for.
enum class Folders {
  without_runs,  // all files under it but those in the folders of runs: they hold a config.json and a metrics.jsonl
  whole,         // all files under it
};

/// Files end to end, as one long row of bytes that is read in place: it may be larger than memory. Const calls may run at
/// once. Files are read with pread and not mapped: so one that shrinks during a run is an Error instead of the end of the
/// process, and a folder may hold more files than a process may map.
class Corpus {
 public:
  /// Paths in the order given; a folder stands for all files under it, hidden ones too, in bytewise order of their paths,
  /// but for folders of runs inside it: a run whose folder lies in its data can be resumed then. Links are followed, a
  /// folder that was met before is left out, and so are pipes, sockets, devices and links to nothing inside folders. Empty
  /// files are left out, and files of folders that the patterns do not take; a path to a file is taken whatever they say.
  /// `separator` is put between files. Throws Error where a path is missing, cannot be read or is neither file nor folder,
  /// where a folder holds no file or the patterns leave none of it, and where there are no bytes at all.
  explicit Corpus(const std::vector<std::string>& paths, std::string separator = "", Folders folders = Folders::without_runs,
                  const FilePatterns& patterns = {});
  Corpus(Corpus&&) noexcept;
  Corpus& operator=(Corpus&&) noexcept;
  ~Corpus();

  /// Bytes, separators included; at least 1.
  std::int64_t size() const { return size_; }
  /// The files that are not empty, in order.
  const std::vector<CorpusFile>& files() const { return files_; }
  /// Fills `out` with the bytes from `offset` on. Throws Error where they are not all inside, or a file shrank.
  void read(std::int64_t offset, std::span<std::uint8_t> out) const;
  /// The bytes in these ranges [begin, end), which go upwards and do not overlap, as a corpus of its own that shares the
  /// open files. The separator is put between its pieces. Throws Error where no byte of a file is in them.
  Corpus pieces(std::span<const std::pair<std::int64_t, std::int64_t>> ranges) const;
  /// The whole as a slice, valid as long as the corpus stays where it is.
  CorpusSlice all() const;
  /// Tells data apart, cheaply: a hash of the files' sizes, the separator and 256 evenly spread samples of 256 bytes. Names
  /// of files do not count, so data may move. A change between the samples that keeps all sizes goes unseen.
  std::uint64_t digest() const;

 private:
  class Sources;
  struct Empty {};
  Corpus(Empty, std::string separator) : separator_(std::move(separator)) {}
  void add(const std::string& path, std::size_t path_index, std::int64_t begin, std::int64_t size, std::size_t source);

  std::vector<CorpusFile> files_;
  std::vector<std::size_t> source_of_;  // of each file: its number in sources_
  std::string separator_;
  std::int64_t size_ = 0;
  std::shared_ptr<const Sources> sources_;
};

/// Bytes [begin, end) of a corpus, which must outlive it; the default is an empty one.
struct CorpusSlice {
  const Corpus* corpus = nullptr;
  std::int64_t begin = 0, end = 0;

  std::int64_t size() const { return end - begin; }
  /// Fills `out` with the bytes from `begin + offset` on. Throws Error where they are not all inside the slice.
  void read(std::int64_t offset, std::span<std::uint8_t> out) const;
  /// Tells slices apart in words that do not depend on the files' names: size, begin and the corpus's digest.
  std::string describe() const;
};

}  // namespace megalith
