// SPDX-License-Identifier: Apache-2.0
#include "eval_outputs.h"

#include <bit>
#include <cmath>
#include <filesystem>

#include "megalith/core/check.h"
#include "output_path.h"
#include "shown_as.h"

namespace megalith::tool {

EvalOutputs::EvalOutputs(const EvalOptions& options, const RecordConfig& record, const Corpus* corpus)
    : map_(page::SurpriseMap(options.html_bytes)) {
  if (const auto as = shown_as(record)) map_.emplace<page::PictureMap>(std::get<media::Shape>(*as), options.html_bytes);
  const auto whole = [](const std::string& path) { return std::filesystem::weakly_canonical(path); };
  check(options.html.empty() || options.per_byte.empty() || whole(options.html) != whole(options.per_byte),
        "--html and --per-byte name the same file ", options.html);
  if (!options.per_byte.empty()) {
    check_is_no_input("--per-byte", options.per_byte, options.checkpoint, corpus);
    losses_ = std::make_unique<AtomicFile>(options.per_byte);
  }
  if (!options.html.empty()) {
    check_is_no_input("--html", options.html, options.checkpoint, corpus);
    page_ = std::make_unique<AtomicFile>(options.html);
  }
  if (!options.lines.empty()) lines_.emplace(options.json);
  if (options.by_position) positions_.emplace();
}

void EvalOutputs::take(const std::string& path, std::int64_t file, std::int64_t offset, std::span<const std::uint8_t> bytes,
                       std::span<const float> bits) {
  FileBits& result = files_[file];
  result.path = path;
  result.bytes += std::ssize(bits);
  for (const float b : bits) result.bits += static_cast<double>(b);
  static_assert(std::endian::native == std::endian::little, "the file of --per-byte is little-endian");
  if (losses_) losses_->write(std::as_bytes(bits));
  if (shows_more()) std::visit([&](auto& map) { map.add(path, offset, bytes, bits); }, map_);
  if (lines_) lines_->add(path, offset, bytes, bits);
  if (positions_) positions_->add(offset, bits);
}

EvalBits EvalOutputs::finish(const EvalOptions& options) {
  EvalBits all;
  all.left_out = left_out_;
  for (const auto& [file, result] : files_) {
    all.files.push_back(result);
    all.bytes += result.bytes;
    all.bits += result.bits;
  }
  check(std::isfinite(all.bits), "the losses of the model are not finite numbers; its weights in ", options.checkpoint,
        " are damaged");
  if (lines_) {
    lines_->finish();
    lines_->send();
  }
  if (positions_) all.positions = positions_->bins();
  if (losses_) losses_->commit();
  if (page_) {
    const std::string overview = page::position_section(all.positions);
    page_->write(std::visit(
        [&](const auto& map) { return map.html(options.checkpoint, all.bytes, all.bits_per_byte(), overview); }, map_));
    page_->commit();
  }
  return all;
}

}  // namespace megalith::tool
