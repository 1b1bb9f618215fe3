// SPDX-License-Identifier: Apache-2.0
// Pages of one file, with nothing from elsewhere: for a phone, a desk and paper, light and dark.
#pragma once

#include <string>
#include <string_view>

namespace megalith::tool {

/// Text inside elements and quoted attributes. Bytes that are no UTF-8 or that HTML forbids become U+FFFD.
std::string escaped(std::string_view text);

/// Bytes as text, each that is none as its hexadecimal digits in a <b class="hex">.
std::string bytes_as_html(std::string_view bytes);

/// The whole document. `style` goes behind the style that all pages share; `body` is HTML.
std::string page(std::string_view title, std::string_view style, std::string_view body);

}  // namespace megalith::tool
