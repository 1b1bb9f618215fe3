// SPDX-License-Identifier: Apache-2.0
// What a model wrote while it was trained, as its report shows it: text, pictures or sound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sample_log.h"

namespace megalith::tool {

struct ShownSamples {
  std::vector<TextSample> all;
  std::optional<ShownAs> as;  // nothing: text
};

/// A heading and the samples one below the other with their steps, the last one always, as many of the others as a page of
/// reasonable size has room for; empty where there are none. They were drawn with `seed`.
std::string samples_html(const ShownSamples& samples, std::uint64_t seed);

/// What it needs in the style of the page.
extern const std::string_view kSamplesStyle;

}  // namespace megalith::tool
