// SPDX-License-Identifier: Apache-2.0
#include "html.h"

#include "../json/hex.h"
#include "utf8.h"

namespace megalith::page {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #fdfcfa; --ink: #1d2126; --soft: #5c646e; --line: #e2dfd8; --panel: #f5f2ec; --accent: #1f5fa8;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #15181c; --ink: #e6e4df; --soft: #9aa3ad; --line: #30363d; --panel: #1d2126; --accent: #7db4f0; }
}
@media print { :root { --paper: #fff; --panel: #fff; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 54rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; line-height: 1.3; margin: 2.5rem 0 .75rem; }
p { margin: 0 0 1rem; }
a { color: var(--accent); }
small, figcaption, footer, .soft { color: var(--soft); font-size: .875rem; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; }
code { font-size: .9em; overflow-wrap: anywhere; }
pre { margin: 0; font-size: .875rem; line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; }
audio { display: block; width: 100%; }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; text-align: left; }
th { font-weight: 400; color: var(--soft); }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
.hex { font: 600 .75em/1 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; color: var(--soft);
  border: 1px solid var(--line); border-radius: 3px; padding: 0 .2em; margin: 0 1px; }
@media print { body { padding: 0; max-width: none; font-size: 10.5pt; } h2 { break-after: avoid; } details { display: none; } }
)css";

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](std::string_view piece, bool is_text) {
    if (!is_text) out += "\uFFFD";
    else if (piece == "&") out += "&amp;";
    else if (piece == "<") out += "&lt;";
    else if (piece == ">") out += "&gt;";
    else if (piece == "\"") out += "&quot;";
    else if (piece == "'") out += "&#39;";
    else out += piece;
  });
  return out;
}

std::string bytes_as_html(std::string_view bytes) {
  std::string out;
  for_each_character(bytes, [&](std::string_view piece, bool is_text) {
    if (is_text) out += escaped(piece);
    else out += "<b class=\"hex\">" + detail::hex(piece[0]) + "</b>";
  });
  return out;
}

std::string document(std::string_view title, std::string_view style, std::string_view body) {
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  // Whatever a text under test holds: this page loads nothing and runs nothing. What it shows and plays is in it.
  out +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src data:; media-src data:\">\n";
  out += "<title>" + escaped(title) + "</title>\n<style>";
  out.append(kStyle).append(style);
  out.append("</style>\n</head>\n<body>\n").append(body).append("</body>\n</html>\n");
  return out;
}

}  // namespace megalith::page
