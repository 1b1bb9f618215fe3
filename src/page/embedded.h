// SPDX-License-Identifier: Apache-2.0
// Pictures and sounds inside of a page, as data: URIs (RFC 2397).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../media/picture.h"
#include "../media/sound.h"

namespace megalith::page {

/// Base64 of RFC 4648, section 4.
std::string base64(std::span<const std::uint8_t> bytes);

/// An <img> of a picture, its pixels enlarged to a whole number of CSS pixels, as many as leave its longer side within
/// `side`; smaller where the page has less room. `alt` is for those who do not see it.
std::string image_html(const media::Picture& picture, std::string_view alt, std::int64_t side = 256);

/// An <audio> with what starts and stops it. What is no whole frame at the end is left out; `label` names it.
std::string sound_html(const media::SoundFormat& format, std::span<const std::uint8_t> samples, std::string_view label);

}  // namespace megalith::page
