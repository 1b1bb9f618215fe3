// SPDX-License-Identifier: Apache-2.0
// What raw bytes are to be shown as: the values of show --as and train --sample-as.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <variant>

#include "../media/sheet.h"
#include "../media/sound.h"
#include "megalith/models/record.h"

namespace megalith::tool {

using ShownAs = std::variant<media::Shape, media::SoundFormat>;

/// 64x64x3 and 64x64x1, or s16:16000 and s16:16000:2 with any kind of samples; nothing where it is neither.
std::optional<ShownAs> shown_as(const std::string& given);
/// The pictures of 1 or 3 channels that a patch scan is of; nothing of other records.
std::optional<ShownAs> shown_as(const RecordConfig& record);
/// The reverse: "64x64x3", "s16:16000", "s16:16000:2".
std::string to_string(const ShownAs& as);

/// Accepts what shown_as() does, and puts it into `as`.
CLI::Validator what_is_shown(std::optional<ShownAs>& as);

}  // namespace megalith::tool
