// SPDX-License-Identifier: Apache-2.0
// Pages of one file that load nothing else: for a phone, a screen and paper, light and dark.
#pragma once

#include <string>
#include <string_view>

namespace megalith::page {

/// Text inside elements and quoted attributes. Bytes that are not UTF-8 or that HTML forbids become U+FFFD.
std::string escaped(std::string_view text);

/// Bytes as text; each byte that is not text as its hexadecimal digits in a <b class="hex">.
std::string bytes_as_html(std::string_view bytes);

/// The whole document. `style` goes behind the style that all pages share; `body` is HTML.
std::string document(std::string_view title, std::string_view style, std::string_view body);

}  // namespace megalith::page
