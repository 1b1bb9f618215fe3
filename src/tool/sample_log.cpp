// SPDX-License-Identifier: Apache-2.0
#include "sample_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

#include "../io/write_all.h"
#include "../json/hex.h"
#include "../page/utf8.h"
#include "json_lines.h"
#include "megalith/core/check.h"
#include "megalith/generate/generator.h"
#include "megalith/io/atomic_file.h"
#include "megalith/models/scan.h"

namespace megalith::tool {
namespace {

using page::is_utf8, page::printable;

using nlohmann::ordered_json;

/// The bytes of a line's "hex".
std::string from_hex(JsonLine& line) {
  std::string digits;
  line.read("hex", digits);
  const auto bytes = detail::from_hex(digits);
  line.require(bytes.has_value(), "hex", "must be pairs of hexadecimal digits, not ", detail::in_quotes(digits));
  return bytes.value_or("");
}

std::string line_of(const SampleOptions& options) {
  ordered_json line;
  if (options.every) line["sample_every"] = *options.every;
  line["sample_bytes"] = options.bytes;
  line["prompt"] = options.prompt;
  if (options.as) line["sample_as"] = to_string(*options.as);
  return line.dump() + "\n";
}

/// The options that a line holds.
GivenSampleOptions options_of(JsonLine& line) {
  GivenSampleOptions out;
  if (line.has("sample_every")) line.read("sample_every", out.every.emplace());
  line.read("sample_bytes", out.bytes.emplace(), std::int64_t{1});
  line.require(*out.bytes <= SampleOptions::kMaxBytes, "sample_bytes", "must be ", SampleOptions::kMaxBytes,
               " or less, not ", *out.bytes);
  line.read("prompt", out.prompt.emplace());
  if (std::string as; line.has("sample_as")) {
    line.read("sample_as", as);
    out.as = shown_as(as);
    line.require(out.as.has_value(), "sample_as", "must be such as 64x64x3 or s16:16000, not ", detail::in_quotes(as));
  }
  return out;
}

/// What is given, and the rest from the file.
template <class T>
void fill(std::optional<T>& given, std::optional<T>&& kept) {
  if (!given) given = std::move(kept);
}

std::string line_of(const TextSample& sample) {
  const ordered_json line{
      {"step", sample.step}, {"prompt", sample.prompt}, {"text", sample.bytes}, {"hex", detail::in_hex(sample.bytes)}};
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::int64_t sample_bytes(const AnyModel& model, std::int64_t prompt, std::int64_t bytes) {
  const std::int64_t record = model.record().bytes;
  return (prompt + bytes + record - 1) / record * record - prompt;
}

std::string written(const AnyModel& model, const std::string& prompt, std::int64_t bytes, std::uint64_t seed, int threads,
                    const std::function<bool()>& stop) {
  Generator generator(model, {.temperature = kSampleTemperature, .seed = seed}, threads);
  const Scan scan(model.record());
  generator.prompt(
      scan.to_model("the prompt", std::span(reinterpret_cast<const std::uint8_t*>(prompt.data()), prompt.size())));
  FileOrder<std::uint8_t> order(scan, std::ssize(prompt));
  std::string out;
  for (std::int64_t left = sample_bytes(model, std::ssize(prompt), bytes); left > 0 && !stop(); --left) {
    const std::uint8_t next = generator.next();
    for (const std::uint8_t byte : order.add({&next, 1})) out += static_cast<char>(byte);
  }
  return out;
}

SampleOptions GivenSampleOptions::with_defaults() const {
  SampleOptions out{.every = every, .prompt = prompt.value_or(""), .as = as};
  if (const auto* shape = as ? std::get_if<media::Shape>(&*as) : nullptr)
    out.bytes = shape->bytes() - std::ssize(out.prompt);
  if (const auto* format = as ? std::get_if<media::SoundFormat>(&*as) : nullptr)
    out.bytes = SampleOptions::kSeconds * format->rate * format->frame_bytes();
  out.bytes = bytes.value_or(std::clamp<std::int64_t>(out.bytes, 1, SampleOptions::kMaxBytes));
  return out;
}

SampleLog::SampleLog(const std::string& run_dir, GivenSampleOptions given, std::uint64_t seed, int threads)
    : path_(run_dir + "/samples.jsonl"), given_(std::move(given)), seed_(seed), threads_(threads) {
  const std::string prompt = given_.prompt.value_or("");
  check(is_utf8(prompt), "--prompt is not UTF-8 text: '", printable(prompt), "'");
}

void SampleLog::begin() {
  std::error_code error;
  if ((asked() || given_.as) && !std::filesystem::exists(path_, error)) write_file(path_, line_of(options()));
}

void SampleLog::resume(std::int64_t step) {
  if (!std::filesystem::exists(path_)) return;
  for_each_json_line(path_, [&](JsonLine& line) {
    if (line.has("sample_bytes")) {
      GivenSampleOptions kept = options_of(line);
      fill(given_.every, std::move(kept.every));
      fill(given_.bytes, std::move(kept.bytes));
      fill(given_.prompt, std::move(kept.prompt));
      fill(given_.as, std::move(kept.as));
      return;
    }
    TextSample sample;
    line.read("step", sample.step);
    line.read("prompt", sample.prompt);
    sample.bytes = from_hex(line);
    if (sample.step <= step) all_.push_back(std::move(sample));
  });
  std::string document = line_of(options());
  for (const TextSample& sample : all_) document += line_of(sample);
  write_file(path_, document);
}

bool SampleLog::due(std::int64_t step, bool last) const {
  const std::int64_t every = given_.every.value_or(0);
  if (every <= 0 || (!all_.empty() && all_.back().step >= step)) return false;
  return last || step % every == 0;
}

const TextSample* SampleLog::take(const AnyModel& model, std::int64_t step, const std::function<bool()>& stop) {
  const SampleOptions how = options();
  TextSample sample{step, how.prompt, written(model, how.prompt, how.bytes, seed_, threads_, stop)};
  if (std::ssize(sample.bytes) < sample_bytes(model, std::ssize(how.prompt), how.bytes)) return nullptr;
  append(sample);
  return &all_.emplace_back(std::move(sample));
}

/// Adds a sample whole or not at all: the run goes on without one that cannot be written, and the next one needs a line of
/// its own.
void SampleLog::append(const TextSample& sample) {
  const auto cannot_write = [&] {
    return Error(text("cannot write ", path_, ": ", std::generic_category().message(errno)));
  };
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw cannot_write();
  const off_t before = ::lseek(file, 0, SEEK_END);
  const std::string added = (before == 0 ? line_of(options()) : "") + line_of(sample);
  if (!detail::write_all(file, std::as_bytes(std::span(added)))) {
    const Error problem = cannot_write();
    (void)!::ftruncate(file, before);
    ::close(file);
    throw problem;
  }
  ::close(file);
}

}  // namespace megalith::tool
