// SPDX-License-Identifier: Apache-2.0
#include "samples.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "../page/numbers.h"
#include "megalith/core/check.h"
#include "megalith/generate/generator.h"
#include "megalith/generate/stop_strings.h"
#include "megalith/io/atomic_file.h"
#include "progress.h"
#include "start_line.h"

namespace megalith::tool {
namespace {

using page::grouped;

/// `number` counts from 1.
std::string sample_path(const std::string& prefix, int number) {
  const std::string digits = std::to_string(number);
  return prefix + "-" + std::string(4 - digits.size(), '0') + digits + ".bin";  // number <= kMaxSamples
}

/// A sample on its way into its file.
class Sample {
 public:
  /// What comes is in the model's order, and its first byte the one at `at`.
  Sample(const std::string& path, const std::vector<std::string>& stop, const Scan& scan, std::int64_t at)
      : file_(path), stop_(stop), order_(scan, at) {}

  void add(std::uint8_t next) {
    for (const std::uint8_t byte : order_.add({&next, 1})) waiting_ += stop_.next(byte);
    if (waiting_.size() >= kBlock) write();
  }
  bool stopped() const { return stop_.stopped(); }
  void finish() {
    waiting_ += stop_.rest();
    write();
    file_.commit();
  }

 private:
  static constexpr std::size_t kBlock = 1 << 16;
  void write() {
    file_.write(waiting_);
    waiting_.clear();
  }

  AtomicFile file_;
  StopStrings stop_;
  FileOrder<std::uint8_t> order_;
  std::string waiting_;  // bytes to be written
};

/// Samples [first, first + count), counted from 0.
void write_some(const AnyModel& model, const Scan& scan, const std::string& prompt, const GenerateOptions& options,
                int first, int count, ProgressDisplay& display) {
  std::vector<std::unique_ptr<Sample>> samples;
  for (int i = first; i < first + count; ++i)
    samples.push_back(std::make_unique<Sample>(sample_path(options.out, i + 1), options.stop, scan, std::ssize(prompt)));
  Generator generator(model, options.sampling, options.threads, count, first);
  if (first == 0) say_what_computes(options.threads);
  generator.prompt(prompt);
  const auto all_stopped = [&] { return std::all_of(samples.begin(), samples.end(), [](auto& s) { return s->stopped(); }); };
  for (std::int64_t n = 0; n < options.bytes && !all_stopped(); ++n) {
    display.note(text("samples ", first + 1, " to ", first + count, " of ", options.samples, ": ", grouped(n), " of ",
                      grouped(options.bytes), " bytes"));
    const std::span<const std::uint8_t> bytes = generator.next_of_each();
    for (std::size_t s = 0; s < samples.size(); ++s) samples[s]->add(bytes[s]);
  }
  for (const auto& sample : samples) sample->finish();
}

}  // namespace

void write_samples(const AnyModel& model, const Scan& scan, const std::string& prompt, const GenerateOptions& options) {
  for (int number = 1; number <= options.samples && !options.force; ++number) {
    const std::string path = sample_path(options.out, number);
    std::error_code none;
    check(!std::filesystem::exists(std::filesystem::symlink_status(path, none)), path,
          " exists already; choose another --out, or overwrite such files with --force");
  }
  ProgressDisplay display(stderr);
  for (int first = 0; first < options.samples; first += kTogether)
    write_some(model, scan, prompt, options, first, std::min(kTogether, options.samples - first), display);
}

}  // namespace megalith::tool
