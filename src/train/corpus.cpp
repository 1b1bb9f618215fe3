// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/corpus.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "megalith/core/check.h"
#include "megalith/io/input_file.h"
#include "megalith/io/run_names.h"

namespace megalith {
namespace {

namespace fs = std::filesystem;

/// Which file or folder a path leads to, whatever the path is called.
using Identity = std::pair<dev_t, ino_t>;

std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

/// Whether a trainer has begun a run in a folder.
bool is_run(const std::string& folder) {
  return status_of(run_names::path_in(folder, run_names::kConfig)) &&
         status_of(run_names::path_in(folder, run_names::kMetrics));
}

/// A folder that the user named, while its files are listed.
struct Listing {
  Folders how;
  const FilePatterns& patterns;
  std::size_t root;           // the length of its path
  std::set<Identity> seen{};  // the folders met so far: each is read once, so a link back up ends there
  std::vector<std::string> files{};

  /// The path of something under the folder, from the folder on.
  std::string below(const std::string& path) const { return path.substr(path.find_first_not_of('/', root)); }
};

/// Adds the regular files under a folder, in no particular order.
void list_folder(const std::string& folder, Listing& all) {
  std::error_code error;
  std::vector<std::string> entries;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) entries.push_back(i->path());
  check(!error, "cannot read the folder ", folder, ": ", error.message());
  std::sort(entries.begin(), entries.end());  // so that which of two links to one folder counts is the same everywhere
  for (const std::string& path : entries) {
    const auto status = status_of(path);
    if (!status) {
      if (errno == ENOENT || errno == ELOOP) continue;  // a link to nothing, or to itself
      throw Error(text("cannot read ", path, ": ", std::generic_category().message(errno)));
    }
    if (S_ISREG(status->st_mode)) all.files.push_back(path);
    if (!S_ISDIR(status->st_mode) || all.patterns.leave_out(all.below(path))) continue;
    if (!all.seen.emplace(status->st_dev, status->st_ino).second) continue;
    if (all.how == Folders::whole || !is_run(path)) list_folder(path, all);
  }
}

/// The files that a path given by the user stands for.
std::vector<std::string> files_of(const std::string& path, Folders how, const FilePatterns& patterns) {
  check(!path.empty(), "a path of the data is empty; name a file or a folder");
  const auto status = status_of(path);
  if (!status) throw Error(text("cannot read ", path, ": ", std::generic_category().message(errno)));
  if (!S_ISDIR(status->st_mode)) return {path};  // what is not a regular file is refused when it is opened
  Listing all{how, patterns, path.size()};
  all.seen.emplace(status->st_dev, status->st_ino);
  list_folder(path, all);
  check(!all.files.empty() || !patterns.empty(), "the folder ", path, " holds no files",
        how == Folders::whole ? "" : " outside of the folders of runs");
  std::erase_if(all.files, [&](const std::string& file) { return !patterns.take(all.below(file)); });
  check(!all.files.empty(), "the patterns (", patterns.describe(), ") leave no file of the folder ", path,
        "; change them, or leave the folder out");
  std::sort(all.files.begin(), all.files.end());
  return all.files;
}

/// How many files this process may still open; as many as usual where the system does not say.
std::size_t descriptors_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  std::error_code error;
  rlim_t open = 0;
  for (fs::directory_iterator i("/proc/self/fd", error), end; !error && i != end; i.increment(error)) ++open;
  return static_cast<std::size_t>(std::min<rlim_t>(1 << 20, limit.rlim_cur - std::min(limit.rlim_cur, open)));
}

}  // namespace

/// The files' contents. The first ones stay open, so that they may be renamed or deleted during a run; a process cannot hold
/// thousands open, so the others are opened for each read.
class Corpus::Sources {
 public:
  void add(InputFile file) {
    if (file.size() > kRandomReadsAbove) file.expect_random_reads();
    if (open_.size() < max_open_) open_.push_back(std::move(file));
  }

  void read(std::size_t index, const CorpusFile& file, std::int64_t offset, std::span<std::byte> out) const {
    const auto at = static_cast<std::uint64_t>(file.begin + offset);
    if (index < open_.size()) return open_[index].read(at, out);
    const InputFile source(file.path);
    const std::int64_t end = file.begin + file.size;
    check(source.size() >= static_cast<std::uint64_t>(end), file.path, " had ", end, " bytes and now has ", source.size(),
          ": it changed while it was in use");
    source.read(at, out);
  }

 private:
  const std::size_t max_open_ = std::min<std::size_t>(128, descriptors_left() / 4);
  // Reading ahead helps a corpus that fits into memory and wastes the disk's time on one that does not.
  static constexpr std::uint64_t kRandomReadsAbove = std::uint64_t{4} << 30;

  std::vector<InputFile> open_;
};

Corpus::Corpus(const std::vector<std::string>& paths, std::string separator, Folders folders, const FilePatterns& patterns)
    : separator_(std::move(separator)) {
  check(!paths.empty(), "no data: name at least one file or folder");
  patterns.validate();
  const auto sources = std::make_shared<Sources>();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (const std::string& path : files_of(paths[i], folders, patterns)) {
      InputFile file(path);
      const auto bytes = static_cast<std::int64_t>(file.size());
      if (bytes == 0) continue;
      add(path, i, 0, bytes, files_.size());
      sources->add(std::move(file));
    }
  }
  check(size_ > 0, "no data: every file under ", paths[0], paths.size() > 1 ? " and the other paths" : "", " is empty");
  sources_ = sources;
}

void Corpus::add(const std::string& path, std::size_t path_index, std::int64_t begin, std::int64_t size,
                 std::size_t source) {
  if (!files_.empty()) size_ += static_cast<std::int64_t>(separator_.size());
  files_.push_back({path, size_, size, begin, path_index});
  source_of_.push_back(source);
  size_ += size;
}

Corpus Corpus::pieces(std::span<const std::pair<std::int64_t, std::int64_t>> ranges) const {
  Corpus part(Empty{}, separator_);
  std::size_t i = 0;
  for (const auto& [begin, end] : ranges) {
    check(begin >= 0 && begin <= end && end <= size_, "bytes ", begin, " to ", end, " are not all inside the ", size_,
          " bytes of the data");
    while (i < files_.size() && files_[i].offset + files_[i].size <= begin) ++i;
    for (std::size_t k = i; k < files_.size() && files_[k].offset < end; ++k) {
      const CorpusFile& file = files_[k];
      const std::int64_t from = std::max(begin, file.offset), to = std::min(end, file.offset + file.size);
      if (from < to) part.add(file.path, file.path_index, file.begin + from - file.offset, to - from, source_of_[k]);
    }
  }
  check(part.size_ > 0, "no byte of the data is in these pieces");
  part.sources_ = sources_;
  return part;
}

Corpus::Corpus(Corpus&&) noexcept = default;
Corpus& Corpus::operator=(Corpus&&) noexcept = default;
Corpus::~Corpus() = default;

void Corpus::read(std::int64_t offset, std::span<std::uint8_t> out) const {
  const auto wanted = static_cast<std::int64_t>(out.size());
  check(offset >= 0 && offset <= size_ && wanted <= size_ - offset, "bytes ", offset, " to ", offset + wanted,
        " are not all inside the ", size_, " bytes of the data");
  const auto after = std::upper_bound(files_.begin(), files_.end(), offset,
                                      [](std::int64_t at, const CorpusFile& file) { return at < file.offset; });
  for (auto i = static_cast<std::size_t>(after - files_.begin()) - 1; !out.empty(); ++i) {
    const CorpusFile& file = files_[i];
    const std::int64_t inside = offset - file.offset;
    if (inside < file.size) {
      const auto n = std::min(out.size(), static_cast<std::size_t>(file.size - inside));
      sources_->read(source_of_[i], file, inside, std::as_writable_bytes(out.first(n)));
      out = out.subspan(n);
      offset += static_cast<std::int64_t>(n);
    }
    // What is still wanted begins in the separator behind this file, or behind that.
    const auto skip = std::min(static_cast<std::size_t>(offset - file.offset - file.size), separator_.size());
    const auto n = std::min(out.size(), separator_.size() - skip);
    if (n == 0) continue;
    std::memcpy(out.data(), separator_.data() + skip, n);
    out = out.subspan(n);
    offset += static_cast<std::int64_t>(n);
  }
}

CorpusSlice Corpus::all() const { return {this, 0, size_}; }

std::uint64_t Corpus::digest() const {
  constexpr std::int64_t kSamples = 256, kSampleBytes = 256;
  std::uint64_t hash = 0xCBF29CE484222325ull;  // FNV-1a, 64 bits
  const auto add = [&](std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3ull;
  };
  const auto add_number = [&](std::int64_t number) {
    std::array<std::uint8_t, sizeof number> bytes{};
    std::memcpy(bytes.data(), &number, sizeof number);
    add(bytes);
  };
  add_number(static_cast<std::int64_t>(separator_.size()));
  add({reinterpret_cast<const std::uint8_t*>(separator_.data()), separator_.size()});
  for (const CorpusFile& file : files_) add_number(file.size);

  std::array<std::uint8_t, kSampleBytes> sample{};
  const std::int64_t bytes = std::min(kSampleBytes, size_), last = size_ - bytes;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    // last * i / (kSamples - 1) without overflow
    const std::int64_t at = last / (kSamples - 1) * i + last % (kSamples - 1) * i / (kSamples - 1);
    const auto part = std::span(sample).first(static_cast<std::size_t>(bytes));
    read(at, part);
    add(part);
  }
  return hash;
}

void CorpusSlice::read(std::int64_t offset, std::span<std::uint8_t> out) const {
  const auto wanted = static_cast<std::int64_t>(out.size());
  check(corpus != nullptr && offset >= 0 && offset <= size() && wanted <= size() - offset, "bytes ", offset, " to ",
        offset + wanted, " are not all inside the ", size(), " bytes of the slice");
  corpus->read(begin + offset, out);
}

std::string CorpusSlice::describe() const {
  if (corpus == nullptr) return "none";
  return text(size(), " bytes from ", begin, " on, digest ", std::hex, corpus->digest());
}

}  // namespace megalith
