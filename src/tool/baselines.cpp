// SPDX-License-Identifier: Apache-2.0
#include "baselines.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "compressors.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/train/training_data.h"

namespace megalith::tool {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kLeastBytes = 1000;        // of fewer, the programs' own headers would be too large a share
constexpr std::int64_t kMostBytes = 1024 * 1024;  // about a second of xz
constexpr int kPieces = 8;                        // of more than that: not the first file alone

Baselines sizes(const CorpusSlice& valid) {
  Baselines out{.bytes = valid.size(), .valid_bytes = valid.size(), .pieces = 1};
  if (out.bytes > kMostBytes) out.bytes = kMostBytes, out.pieces = kPieces;
  return out;
}

std::vector<std::uint8_t> bytes_of(const CorpusSlice& valid, const Baselines& baselines) {
  std::vector<std::uint8_t> all(static_cast<std::size_t>(baselines.bytes));
  const std::int64_t piece = baselines.bytes / baselines.pieces;
  for (int i = 0; i < baselines.pieces; ++i) {
    const std::int64_t begin = baselines.pieces == 1 ? 0 : (valid.size() - piece) / (baselines.pieces - 1) * i;
    valid.read(begin, std::span(all).subspan(static_cast<std::size_t>(piece * i), static_cast<std::size_t>(piece)));
  }
  return all;
}

/// The size that the file of an earlier report has for a program, if that was about the same bytes.
std::optional<std::int64_t> size_in(const ordered_json& file, const std::string& data, std::int64_t bytes,
                                    const std::string& program) {
  if (!file.is_object()) return std::nullopt;
  const auto same = [&](const char* key, const auto& value) { return file.contains(key) && file[key] == value; };
  if (!same("data", data) || !same("bytes", bytes)) return std::nullopt;
  if (!file.contains(program) || !file[program].is_number_integer()) return std::nullopt;
  const auto size = file[program].get<std::int64_t>();
  return size > 0 ? std::optional(size) : std::nullopt;
}

/// What a program makes of bytes; nothing where it is not installed, or fails.
std::optional<std::int64_t> size_by(const Compressor& program, std::span<const std::uint8_t> bytes) {
  try {
    return compressed_bytes(program, bytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

Baselines measured(const std::string& run_dir, const DataConfig& data, Index record) {
  if (data.valid.empty() && data.valid_share == 0) return {};
  const TrainingData opened(data, record);
  const CorpusSlice& valid = opened.valid();
  Baselines out = sizes(valid);
  if (out.bytes < kLeastBytes) return {};
  const std::string path = run_dir + "/compressors.json", name = valid.describe();
  std::ifstream in(path, std::ios::binary);
  const ordered_json before = ordered_json::parse(in, nullptr, false);
  ordered_json now{{"data", name}, {"bytes", out.bytes}};
  bool changed = false;
  std::vector<std::uint8_t> bytes;
  for (const Compressor& program : compressors()) {
    std::optional<std::int64_t> size = size_in(before, name, out.bytes, program.name);
    if (!size) {
      if (bytes.empty()) bytes = bytes_of(valid, out);
      size = size_by(program, bytes);
      changed = changed || size.has_value();
    }
    if (!size) continue;
    now[program.name] = *size;
    out.all.push_back({program.name, 8 * static_cast<double>(*size) / static_cast<double>(out.bytes)});
  }
  if (changed) write_file(path, now.dump() + "\n");
  return out;
}

}  // namespace

Baselines baselines(const std::string& run_dir, const DataConfig& data, Index record) {
  try {
    return measured(run_dir, data, record);
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace megalith::tool
