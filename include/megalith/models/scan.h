// SPDX-License-Identifier: Apache-2.0
// From the order of bytes in files to that in which a model reads them, and back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "megalith/models/record.h"

namespace megalith {

/// The order of a RecordConfig, as a table of one record. Sequences are rows of records: byte `at` of one in the model's
/// order stands at in_file(at) in the file's, inside the same record.
class Scan {
 public:
  /// Of records in the file's order.
  Scan() = default;
  /// Throws Error where the config is not valid.
  explicit Scan(const RecordConfig& record);

  /// N: bytes of a record.
  Index record() const { return record_; }
  /// Whether the model reads bytes as they stand in the file.
  bool keeps_order() const { return to_file_.empty(); }
  std::int64_t in_file(std::int64_t at) const {
    return keeps_order() ? at : at - at % record_ + to_file_[static_cast<std::size_t>(at % record_)];
  }
  /// Whole pieces from the start of a record are the same bytes in both orders. One is, in bytes, a row of tiles of a patch
  /// scan, the record of a split one, and 1 where the order is the file's.
  Index piece() const { return piece_; }
  /// Throws Error, saying that WHAT has so many bytes, unless they are whole pieces.
  void check_whole(std::string_view what, std::int64_t bytes) const;
  /// The bytes of WHAT, whole pieces from the start of a file, in the model's order. Throws Error where they are not.
  std::vector<std::uint8_t> to_model(std::string_view what, std::span<const std::uint8_t> bytes) const;

  /// Fills `out` with the bytes from `at` on of a sequence in the model's order, all of them inside whole records;
  /// read(offset, span) reads it in the file's.
  template <class Read>
  void read(std::int64_t at, std::span<std::uint8_t> out, Read&& read) const {
    if (keeps_order()) return read(at, out);
    std::vector<std::uint8_t> part;
    while (!out.empty()) {
      const std::int64_t first = at % record_, n = std::min<std::int64_t>(std::ssize(out), record_ - first);
      const auto places = std::span(to_file_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
      const auto [least, most] = std::minmax_element(places.begin(), places.end());
      part.resize(*most - *least + std::size_t{1});
      read(at - first + *least, std::span(part));
      for (std::size_t i = 0; i < places.size(); ++i) out[i] = part[places[i] - *least];
      out = out.subspan(places.size());
      at += n;
    }
  }

 private:
  ScanConfig config_;
  Index record_ = 1, piece_ = 1;
  std::vector<std::uint32_t> to_file_;  // (N); empty where it would change nothing
};

/// Puts what comes in the model's order, bytes or something of each byte, into that of the file: whole pieces go out, and
/// what is not whole waits.
template <class T>
class FileOrder {
 public:
  /// The first value is that of the byte at `at`, a multiple of the scan's pieces. The scan must outlive this.
  explicit FileOrder(const Scan& scan, std::int64_t at = 0) : scan_(&scan), in_(at % scan.record()), out_(in_) {
    if (!scan.keeps_order()) record_.resize(static_cast<std::size_t>(scan.record()));
  }

  /// Takes the values that come next, and gives those that can go out now, valid until the next call.
  std::span<const T> add(std::span<const T> values) {
    if (scan_->keeps_order()) return values;
    ready_.clear();
    for (const T& value : values) {
      record_[static_cast<std::size_t>(scan_->in_file(in_))] = value;
      if (++in_ % scan_->piece() != 0) continue;
      ready_.insert(ready_.end(), record_.begin() + out_, record_.begin() + in_);
      out_ = in_ == scan_->record() ? 0 : in_;
      in_ = out_;
    }
    return ready_;
  }
  /// How many wait.
  Index waiting() const { return in_ - out_; }

 private:
  const Scan* scan_;
  Index in_, out_;  // places in the record: of the next value in the model's order, and of the next in the file's
  std::vector<T> record_, ready_;
};

}  // namespace megalith
