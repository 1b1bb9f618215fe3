// SPDX-License-Identifier: Apache-2.0
#include "surprise_map.h"

#include <algorithm>

#include "byte_rows.h"
#include "html.h"
#include "megalith/core/check.h"
#include "numbers.h"
#include "utf8.h"

namespace megalith::page {
namespace {

constexpr std::string_view kStyle = R"css(
body { max-width: 66rem; }
.frame { border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 0; margin: 1.25rem 0 1.5rem; font-size: .8rem; color: var(--soft); }
.legend span:first-child { flex-basis: 100%; }
.legend i { font-style: normal; padding: .2rem .6rem; font-variant-numeric: tabular-nums; }
h2 { overflow-wrap: anywhere; } h2 small { font-weight: 400; }
details { margin: 0 0 .75rem; } details .rows { margin-top: .4rem; width: auto; } details .rows td:nth-child(2) { width: auto; }
@media (max-width: 40rem) { body { padding: 1.25rem .75rem 2rem; } .frame { padding: .5rem .4rem; } }
)css";

std::string legend() {
  std::string out = "<p class=\"legend\" aria-label=\"Colours by surprisal in bits\"><span>bits for a byte</span>";
  for (std::size_t i = 0; i <= kHeatSteps.size(); ++i)
    out += text("<i class=\"h", i, "\">",
                i == 0                   ? "under " + text(kHeatSteps[0])
                : i == kHeatSteps.size() ? text(kHeatSteps[i - 1]) + " and more"
                                         : text(kHeatSteps[i - 1]) + "–" + text(kHeatSteps[i]),
                "</i>");
  return out + "</p>\n";
}

/// A file as it is shown. `number` tells it from the others of a page.
class Section {
 public:
  Section(const ScoredBytes& all, bool binary, int number)
      : all_(all), binary_(binary), number_(number), rows_(binary ? hex_rows(all.bytes) : text_rows(all.bytes)) {
    // So that the list stays small beside what it is about.
    most_ = most_surprising(all_, std::min<std::size_t>(12, all_.bytes.size() / 64), binary_);
  }

  bool has_long_lines() const {
    return std::any_of(rows_.begin(), rows_.end(), [](const ByteRow& row) { return row.label[0] == '+'; });
  }

  std::string html(const std::string& path) const {
    return "<h2>" + escaped(path) + " <small>" + rounded(all_.sum() / static_cast<double>(all_.bits.size()), 3) +
           " bits per byte</small></h2>\n" + list() + table();
  }

 private:
  std::size_t row_of(const Surprise& surprise) const {
    const auto ends_before = [](const ByteRow& row, std::size_t offset) { return row.end <= offset; };
    return static_cast<std::size_t>(std::lower_bound(rows_.begin(), rows_.end(), surprise.begin, ends_before) -
                                    rows_.begin());
  }
  std::string id(std::size_t row) const { return text("r", number_, "-", row + 1); }

  std::string list() const {
    if (most_.empty()) return "";
    std::string out = text("<details><summary>The most surprising ", binary_ ? "bytes" : "characters",
                           "</summary>\n<table class=\"rows\"><tr class=head><th>bits<td>", "where it stands", "<td>",
                           binary_ ? "row" : "line", "<td>at byte\n");
    for (const Surprise& surprise : most_) {
      const std::size_t row = row_of(surprise);
      // Of a long line the row that begins it has the number.
      std::size_t first = row;
      while (rows_[first].label[0] == '+') --first;
      out += text("<tr><th>", rounded(surprise.bits, 2), "<td>", in_context(all_, surprise, binary_), "<td><a href=#",
                  id(row), ">", rows_[first].label, "</a><td>", grouped(static_cast<std::int64_t>(surprise.begin)), "\n");
    }
    return out + "</table></details>\n";
  }

  std::string table() const {
    std::string out =
        binary_ ? "<div class=\"frame\"><table class=\"rows dump\">" : "<div class=\"frame\"><table class=\"rows\">";
    if (rows_.size() > 3)  // many short files would consist of headings
      out += text("<tr class=head><th>", binary_ ? "offset<td>bytes<td>ASCII" : "line<td>", "<td>per byte<td>bits\n");
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const bool listed = std::any_of(most_.begin(), most_.end(), [&](const Surprise& s) {
        return rows_[i].begin <= s.begin && s.begin < rows_[i].end;
      });
      out +=
          binary_ ? hex_row_html(all_, rows_[i], listed ? id(i) : "") : text_row_html(all_, rows_[i], listed ? id(i) : "");
    }
    return out + "</table></div>\n";
  }

  ScoredBytes all_;
  bool binary_;
  int number_;
  std::vector<ByteRow> rows_;
  std::vector<Surprise> most_;
};

}  // namespace

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

std::string SurpriseMap::html(std::string_view model, std::int64_t total_bytes, double bits_per_byte,
                              std::string_view overview) const {
  std::int64_t shown = shown_;
  std::string sections;
  bool any_text = false, any_binary = false, any_long = false;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    ScoredBytes all{files_[i].bytes, files_[i].bits};
    // What was cut within a character ends before it.
    if (shown_ < total_bytes && i + 1 == files_.size()) {
      const std::size_t cut = cut_character(all.bytes);
      shown -= static_cast<std::int64_t>(cut);
      all = all.from_to(0, all.bytes.size() - cut);
      if (all.bytes.empty()) continue;
    }
    const bool binary = is_binary(all.bytes);
    (binary ? any_binary : any_text) = true;
    const Section section(all, binary, static_cast<int>(i + 1));
    any_long = any_long || section.has_long_lines();
    sections += section.html(files_[i].path);
  }
  std::string body =
      "<h1>What surprises the model</h1>\n<p class=\"soft\">" + escaped(model) + ": " + rounded(bits_per_byte, 3) +
      " bits per byte over " + grouped(total_bytes) + " bytes" +
      (shown < total_bytes ? ", of which the first " + grouped(shown) + " are shown" : "") +
      ". The stronger its colour, the less the model expected a character; a byte that could be any has 8 bits. "
      "Behind each line stand its bits per byte and its bits in all; point at a character to read its own." +
      (any_text ? " ↵ ends a line, and a byte that is not text is shown in hexadecimal." : "") +
      (any_long ? " A long line goes on in rows that tell how many bytes of it came before, as +250." : "") +
      (any_binary ? " What is no text is shown in rows of 16 bytes." : "") + "</p>\n";
  return document("What surprises the model", std::string(kByteRowsStyle).append(kStyle),
                  body.append(overview) + legend() + sections);
}

}  // namespace megalith::page
