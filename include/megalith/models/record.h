// SPDX-License-Identifier: Apache-2.0
// Records: data whose bytes mean something by their place, as the pixels of pictures and the samples of sound do.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "megalith/core/fields.h"

namespace megalith {

class Problems;

/// none: as in the file. patch: a picture tile by tile. split: samples byte by byte.
enum class ScanKind { none, patch, split };
template <>
inline constexpr std::array<std::string_view, 3> kNames<ScanKind>{"none", "patch", "split"};

/// The order in which a model reads the bytes of a record. It is a permutation, so that bits per byte in one order and in
/// another are of the same data and may be compared. What is not of the kind is 0.
struct ScanConfig {
  ScanKind kind = ScanKind::none;
  /// patch: of a picture, whose rows lie from the top down with the channels of a pixel side by side, the tiles of `tile` x
  /// `tile` pixels, row by row and each row by row (Yu et al. 2023, App. D.1). A tile is a patch where the model's patches
  /// have tile * tile * channels bytes.
  Index width = 0, height = 0, channels = 0, tile = 0;
  /// split: of samples of so many bytes, the first bytes of all, then the second ones, and so on.
  Index sample_bytes = 0;

  bool operator==(const ScanConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("kind", c.kind);
    f("width", c.width);
    f("height", c.height);
    f("channels", c.channels);
    f("tile", c.tile);
    f("sample_bytes", c.sample_bytes);
  }
};

/// What a file is a row of. The windows of training, evaluation and generation begin at records, counted from the start of
/// the file, or where a record is longer than a window, at multiples of a window inside of it.
struct RecordConfig {
  Index bytes = 1;  // N; 1: any byte may begin a window
  ScanConfig scan{};

  bool operator==(const RecordConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("bytes", c.bytes);
    f("scan", c.scan);
  }
  /// Adds a sentence for each, naming fields as `at`.bytes.
  void list_problems(const std::string& at, Problems& problems) const;
};

/// Whether windows of `length` bytes can be whole records, or parts of one that has a whole number of them.
inline bool suits(const RecordConfig& record, Index length) {
  return length % record.bytes == 0 || record.bytes % length == 0;
}

/// Bytes of the picture of a patch scan; the largest number there is where they are more.
Index bytes_of_picture(const ScanConfig& scan);

/// `none`, `patch:64x64x3:2` (width x height x channels : tile), `split:2`.
std::string to_string(const ScanConfig& scan);
/// The reverse; throws Error on other text.
ScanConfig parse_scan(std::string_view name);
/// `records of 12288 bytes in the order patch:64x64x3:2`; empty for records of one byte.
std::string in_words(const RecordConfig& record);

}  // namespace megalith
