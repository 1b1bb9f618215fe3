// SPDX-License-Identifier: Apache-2.0
#include "samples_html.h"

#include <algorithm>

#include "../page/embedded.h"
#include "../page/html.h"
#include "../page/numbers.h"
#include "megalith/core/check.h"

namespace megalith::tool {

using media::Shape, media::SoundFormat, page::bytes_as_html, page::counted, page::grouped;

const std::string_view kSamplesStyle = R"css(
.sample { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; margin: .4rem 0 1.1rem; }
.piece { break-inside: avoid; }
.sample .prompt { color: var(--accent); font-weight: 600; }
.piece img, .piece audio { margin: .4rem 0 1.1rem; }
)css";

namespace {

/// A sample as HTML, called with what it is shown as.
class Shown {
 public:
  explicit Shown(const TextSample& sample) : sample_(sample) {}

  std::string text() const {
    return "<pre class=\"sample\"><span class=\"prompt\">" + bytes_as_html(sample_.prompt) + "</span>" +
           bytes_as_html(sample_.bytes) + "</pre>";
  }
  /// All whole pictures, or as many rows as are there of one that did not become whole.
  std::string operator()(const Shape& shape) const {
    const std::string all = sample_.prompt + sample_.bytes;
    const std::int64_t size = std::ssize(all);
    const Shape rows{shape.width, std::min(shape.height, size / (shape.width * shape.channels)), shape.channels};
    if (rows.height == 0) return "<p>less than a row of a picture</p>";
    const std::int64_t columns = media::square_columns(rows, size / rows.bytes());
    return page::image_html(media::sheet(rows, columns, bytes_of(all)),
                            "What the model draws after step " + grouped(sample_.step));
  }
  std::string operator()(const SoundFormat& format) const {
    const std::string all = sample_.prompt + sample_.bytes;
    return page::sound_html(format, bytes_of(all), "What the model plays after step " + grouped(sample_.step));
  }

 private:
  static media::Bytes bytes_of(const std::string& all) {
    return {reinterpret_cast<const std::uint8_t*>(all.data()), all.size()};
  }
  const TextSample& sample_;
};

/// Every how many-th sample is shown, so that there are at most 24 and, of long ones, some megabytes.
std::size_t apart(const ShownSamples& samples) {
  constexpr std::size_t kMax = 24, kMaxBytes = 6'000'000;
  const std::size_t fit = std::clamp<std::size_t>(kMaxBytes / samples.all.back().bytes.size(), 1, kMax);
  return (samples.all.size() - 1) / fit + 1;
}

}  // namespace

std::string samples_html(const ShownSamples& samples, std::uint64_t seed) {
  const std::vector<TextSample>& all = samples.all;
  if (all.empty() || all.back().bytes.empty()) return "";
  const char* title = !samples.as                                  ? "What it writes"
                      : std::holds_alternative<Shape>(*samples.as) ? "What it draws"
                                                                   : "What it plays";
  const std::string prompt = all.back().prompt.empty() ? ""
                             : samples.as              ? "; the first bytes are the prompt"
                                                       : "; what stands in colour is the prompt";
  std::string out = text("<h2>", title, "</h2>\n<p class=\"soft\">Drawn at temperature ", kSampleTemperature, " with seed ",
                         seed, ", as by <code>megalith generate --temperature ", kSampleTemperature, " --seed ", seed,
                         "</code>", prompt, ".</p>\n");
  for (std::size_t step = apart(samples), i = (all.size() - 1) % step; i < all.size(); i += step) {
    const Shown shown(all[i]);
    out += text("<div class=\"piece\"><small>After step ", grouped(all[i].step), ", ",
                counted(std::ssize(all[i].bytes), "byte"), "</small>\n",
                samples.as ? std::visit(shown, *samples.as) : shown.text(), "</div>\n");
  }
  return out;
}

}  // namespace megalith::tool
