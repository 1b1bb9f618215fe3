// SPDX-License-Identifier: Apache-2.0
// What the tests of training runs share: data, short runs, and the comparison of two runs by their files.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "megalith/io/safetensors.h"
#include "megalith/train/trainer.h"
#include "support/fake_model.h"
#include "support/temporary_folder.h"

namespace megalith::tests {

/// Text in which bytes depend on the bytes before them.
inline std::string some_text(Index n, std::uint64_t seed = 1) {
  const std::vector<std::string> words{"mega ", "lith ", "byte ", "stone ", "and ", "on\n"};
  std::string out;
  for (std::uint64_t i = 0; std::ssize(out) < n; ++i)
    out += words[static_cast<std::size_t>(random_below({seed}, i, std::ssize(words)))];
  out.resize(static_cast<std::size_t>(n));
  return out;
}

inline DataConfig write_data(const TemporaryFolder& folder) {
  return {.train = {folder.write("train.txt", some_text(5000, 1))},
          .valid = {folder.write("valid.txt", some_text(500, 2))},
          .valid_share = 0,
          .separator = ""};
}

/// A run of a few steps that saves after each, validates, averages and has lines in between.
inline TrainConfig short_run(std::int64_t steps) {
  TrainConfig c;
  c.budget.steps = steps;
  c.batch = 4;
  c.schedule = {.kind = ScheduleKind::linear, .peak = 0.05, .warmup_steps = 3};
  c.average = 0.9;
  c.eval_every = 4;
  c.eval_bytes = 100;
  c.log_every = 3;
  c.save_every_minutes = 1e-9;
  return c;
}

/// The lines of a run's metrics without what depends on time.
inline std::vector<nlohmann::json> metrics_of(const std::string& run_dir) {
  std::istringstream in(read_file(run_dir + "/metrics.jsonl"));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(nlohmann::json::parse(line));
    for (const char* key : {"seconds", "bytes_per_second"}) {
      EXPECT_TRUE(lines.back().contains(key)) << line;
      lines.back().erase(key);
    }
  }
  return lines;
}

/// All tensors of a file as bytes, but those that measure time.
inline std::map<std::string, std::vector<std::uint8_t>> tensors_of(const std::string& path) {
  const SafetensorsReader reader(path);
  const std::string file = read_file(path);
  std::map<std::string, std::vector<std::uint8_t>> all;
  std::uint64_t header = 0;
  std::copy_n(file.data(), 8, reinterpret_cast<char*>(&header));
  for (const auto& [name, info] : reader.tensors())
    if (name.find("seconds") == name.npos)
      all[name].assign(file.begin() + static_cast<Index>(8 + header + info.begin),
                       file.begin() + static_cast<Index>(8 + header + info.end));
  return all;
}

/// Expects the same bits in models, state and metrics.
inline void expect_same_run(const std::string& a, const std::string& b) {
  EXPECT_EQ(metrics_of(a), metrics_of(b));
  EXPECT_EQ(read_file(a + "/model.safetensors"), read_file(b + "/model.safetensors"));
  EXPECT_EQ(read_file(a + "/best.safetensors"), read_file(b + "/best.safetensors"));
  EXPECT_EQ(tensors_of(a + "/state.safetensors"), tensors_of(b + "/state.safetensors"));
}

/// Stops a run after step `step`.
inline Report stop_at(std::int64_t step) {
  return [step](const Progress& p) { return p.step >= step ? Control::stop : Control::go_on; };
}

}  // namespace megalith::tests
