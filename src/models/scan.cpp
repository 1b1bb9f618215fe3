// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/scan.h"

#include "megalith/core/check.h"
#include "megalith/core/problems.h"

namespace megalith {
namespace {

/// The place in the model's order of the byte at place i of a record.
Index in_model(const RecordConfig& record, Index i) {
  const ScanConfig& c = record.scan;
  switch (c.kind) {
    case ScanKind::patch: {
      const Index channel = i % c.channels, x = i / c.channels % c.width, y = i / c.channels / c.width, p = c.tile;
      return (y / p * (c.width / p) + x / p) * (p * p * c.channels) + (y % p * p + x % p) * c.channels + channel;
    }
    case ScanKind::split:
      return i % c.sample_bytes * (record.bytes / c.sample_bytes) + i / c.sample_bytes;
    default:
      return i;
  }
}

}  // namespace

Scan::Scan(const RecordConfig& record) : config_(record.scan), record_(record.bytes) {
  Problems problems;
  record.list_problems("record", problems);
  problems.report();
  if (record.scan.kind == ScanKind::none) return;
  to_file_.resize(static_cast<std::size_t>(record_));
  for (Index i = 0; i < record_; ++i)
    to_file_[static_cast<std::size_t>(in_model(record, i))] = static_cast<std::uint32_t>(i);
  piece_ = record.scan.kind == ScanKind::patch ? record.scan.width * record.scan.channels * record.scan.tile : record_;
}

void Scan::check_whole(std::string_view what, std::int64_t bytes) const {
  check(bytes % piece_ == 0, what, " has ", bytes, " bytes, and must have a multiple of ", piece_,
        ": the model reads records of ", record_, " bytes in the order ", to_string(config_));
}

std::vector<std::uint8_t> Scan::to_model(std::string_view what, std::span<const std::uint8_t> bytes) const {
  check_whole(what, std::ssize(bytes));
  std::vector<std::uint8_t> out(bytes.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = bytes[static_cast<std::size_t>(in_file(static_cast<std::int64_t>(i)))];
  return out;
}

}  // namespace megalith
