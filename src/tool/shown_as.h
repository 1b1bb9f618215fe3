// SPDX-License-Identifier: Apache-2.0
// What raw bytes are to be shown as: the value of --as.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "../media/sheet.h"
#include "../media/sound.h"

namespace megalith::tool {

using ShownAs = std::variant<media::Shape, media::SoundFormat>;

/// 64x64x3 and 64x64x1, or s16:16000 and s16:16000:2 with any kind of samples; nothing where it is neither.
std::optional<ShownAs> shown_as(const std::string& given);

}  // namespace megalith::tool
