// SPDX-License-Identifier: Apache-2.0
#include "surprise_map.h"

#include <algorithm>
#include <array>

#include "../json/hex.h"
#include "html.h"
#include "megalith/core/check.h"
#include "numbers.h"
#include "utf8.h"

namespace megalith::page {
namespace {

/// Where each colour but the first begins, in bits. 8 is the surprisal of a byte of which nothing is known.
constexpr std::array<double, 8> kSteps{0.5, 1, 2, 3, 4.5, 6, 8, 12};

constexpr std::string_view kStyle = R"css(
:root { --h1: #fdf0d5; --h2: #fbe0b0; --h3: #f9cb8b; --h4: #f5ad69; --h5: #ec8a50; --h6: #db6343; --h7: #bd3d3c; --h8: #861f3c; --hot: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --h1: #262320; --h2: #382d22; --h3: #513a22; --h4: #704a22; --h5: #965a24; --h6: #bf6d2d; --h7: #e5894a; --h8: #ffc08f; --hot: #15181c; }
}
body { max-width: 62rem; }
.text { border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.1rem; line-height: 1.75; tab-size: 4; }
.text i { font-style: normal; padding: .15em 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 0; margin: 1.25rem 0 1.5rem; font-size: .8rem; color: var(--soft); }
.legend span:first-child { flex-basis: 100%; }
.legend i { font-style: normal; padding: .2rem .6rem; font-variant-numeric: tabular-nums; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.h0 { background: none; } .h1 { background: var(--h1); } .h2 { background: var(--h2); } .h3 { background: var(--h3); }
.h4 { background: var(--h4); } .h5 { background: var(--h5); } .h6 { background: var(--h6); }
.h7 { background: var(--h7); } .h8 { background: var(--h8); }
.legend i, .text i { color: var(--ink); } .text .h7, .text .h8, .legend .h7, .legend .h8 { color: var(--hot); }
.h6 .hex, .h7 .hex, .h8 .hex { color: inherit; border-color: currentColor; }
h2 { overflow-wrap: anywhere; } h2 small { font-weight: 400; }
.end { opacity: .45; }
)css";

std::string legend() {
  std::string out = "<p class=\"legend\" aria-label=\"Colours by surprisal in bits\"><span>bits for a byte</span>";
  for (std::size_t i = 0; i <= kSteps.size(); ++i)
    out += text("<i class=\"h", i, "\">",
                i == 0               ? "under " + text(kSteps[0])
                : i == kSteps.size() ? text(kSteps[i - 1]) + " and more"
                                     : text(kSteps[i - 1]) + "–" + text(kSteps[i]),
                "</i>");
  return out + "</p>\n";
}

/// The character in the colour of its least expected byte: a letter of two bytes is as surprising as that one.
std::string coloured(std::string_view piece, bool is_text, std::span<const float> bits) {
  const double most = static_cast<double>(*std::max_element(bits.begin(), bits.end()));
  std::string each;
  for (const float b : bits) each += (each.empty() ? "" : " + ") + rounded(static_cast<double>(b), 2);
  // A line that ends is something to predict too, and has nothing to see by itself.
  const std::string sign = !is_text        ? "<b class=\"hex\">" + detail::hex(piece[0]) + "</b>"
                           : piece == "\n" ? std::string("<span class=\"end\">↵</span>\n")
                                           : escaped(piece);
  return text("<i class=\"h", heat(most), "\" title=\"", each, " bits\">", sign, "</i>");
}

}  // namespace

int heat(double bits) { return static_cast<int>(std::upper_bound(kSteps.begin(), kSteps.end(), bits) - kSteps.begin()); }

void SurpriseMap::add(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes,
                      std::span<const float> bits) {
  if (full()) return;
  if (files_.empty() || offset == 0) files_.push_back({path, {}, {}});
  const auto n = std::min(bytes.size(), static_cast<std::size_t>(left_));
  files_.back().bytes.append(reinterpret_cast<const char*>(bytes.data()), n);
  files_.back().bits.insert(files_.back().bits.end(), bits.begin(), bits.begin() + static_cast<std::ptrdiff_t>(n));
  left_ -= static_cast<std::int64_t>(n);
  shown_ += static_cast<std::int64_t>(n);
}

std::string SurpriseMap::html(std::string_view model, std::int64_t total_bytes, double bits_per_byte) const {
  std::string body =
      "<h1>What surprises the model</h1>\n<p class=\"soft\">" + escaped(model) + ": " + rounded(bits_per_byte, 3) +
      " bits per byte over " + grouped(total_bytes) + " bytes" +
      (shown_ < total_bytes ? ", of which the first " + grouped(shown_) + " are shown" : "") +
      ". The stronger its colour, the less the model expected a character; a byte that could be any has 8 bits. "
      "Point at a character to read its bits. ↵ ends a line, and a byte that is not text is shown in "
      "hexadecimal.</p>\n" +
      legend();
  for (const File& file : files_) {
    double sum = 0;
    for (const float b : file.bits) sum += static_cast<double>(b);
    body += "<h2>" + escaped(file.path) + " <small>" + rounded(sum / static_cast<double>(file.bits.size()), 3) +
            " bits per byte</small></h2>\n<pre class=\"text\">";
    std::size_t at = 0;
    for_each_character(file.bytes, [&](std::string_view piece, bool is_text) {
      body += coloured(piece, is_text, std::span(file.bits).subspan(at, piece.size()));
      at += piece.size();
    });
    body += "</pre>\n";
  }
  return document("What surprises the model", kStyle, body);
}

}  // namespace megalith::page
