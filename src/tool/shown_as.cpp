// SPDX-License-Identifier: Apache-2.0
#include "shown_as.h"

#include "dimensions.h"
#include "megalith/core/check.h"

namespace megalith::tool {
namespace {

/// Takes what stands before the next colon off a text.
std::string next_part(std::string& rest) {
  const std::size_t colon = rest.find(':');
  const std::string part = rest.substr(0, colon);
  rest = colon == rest.npos ? "" : rest.substr(colon + 1);
  return part;
}

std::optional<ShownAs> sound(std::string given) {
  constexpr std::int64_t kMaxRate = 0xFFFFFFFF;
  const std::string name = next_part(given), rate = next_part(given);
  const auto hertz = dimensions(rate, kMaxRate), channels = dimensions(given.empty() ? "1" : given, media::kMaxChannels);
  if (!hertz || hertz->size() != 1 || !channels || channels->size() != 1) return std::nullopt;
  for (const media::SampleKind& kind : media::kSampleKinds)
    if (kind.name == name) return media::SoundFormat{kind, hertz->at(0), static_cast<int>(channels->at(0))};
  return std::nullopt;
}

}  // namespace

std::optional<ShownAs> shown_as(const std::string& given) {
  const auto all = dimensions(given);
  if (!all) return given.ends_with(':') ? std::nullopt : sound(given);
  if (all->size() != 3 || (all->at(2) != 1 && all->at(2) != 3)) return std::nullopt;
  return media::Shape{all->at(0), all->at(1), static_cast<int>(all->at(2))};
}

std::optional<ShownAs> shown_as(const RecordConfig& record) {
  const ScanConfig& scan = record.scan;
  if (scan.kind != ScanKind::patch || (scan.channels != 1 && scan.channels != 3)) return std::nullopt;
  return media::Shape{scan.width, scan.height, static_cast<int>(scan.channels)};
}

std::string to_string(const ShownAs& as) {
  if (const auto* shape = std::get_if<media::Shape>(&as))
    return text(shape->width, "x", shape->height, "x", shape->channels);
  const auto& format = std::get<media::SoundFormat>(as);
  const std::string one = text(format.kind.name, ":", format.rate);
  return format.channels == 1 ? one : text(one, ":", format.channels);
}

CLI::Validator what_is_shown(std::optional<ShownAs>& as) {
  return {[&as](std::string& given) {
            as = shown_as(given);
            return as ? ""
                      : text("'", given, "' is neither pictures, such as 64x64x3 or 64x64x1, nor sound, such as s16:16000, ",
                             "s16:16000:2 for two channels, or u8, s24, s32, f32, f64, mulaw or alaw in its place");
          },
          ""};
}

}  // namespace megalith::tool
