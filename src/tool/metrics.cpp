// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include "json_lines.h"
#include "megalith/io/run_names.h"

namespace megalith::tool {

std::vector<page::Metric> read_metrics(const std::string& run_dir) {
  std::vector<page::Metric> metrics;
  for_each_json_line(run_names::path_in(run_dir, run_names::kMetrics), [&](JsonLine& line) {
    page::Metric& metric = metrics.emplace_back();
    line.read("step", metric.step);
    line.read("bytes", metric.bytes);
    line.read("seconds", metric.seconds);
    line.read("train_bpb", metric.train_bpb);
    const auto read_if_there = [&](const char* key, std::optional<double>& out) {
      if (line.has(key)) line.read(key, out.emplace());
    };
    read_if_there("bytes_per_second", metric.bytes_per_second);
    read_if_there("lr", metric.lr);
    read_if_there("grad_norm", metric.grad_norm);
    if (!line.has("valid_bpb")) return;
    line.read("valid_bpb", metric.valid_bpb.emplace());
    line.read("valid_bytes", metric.valid_bytes);
  });
  return metrics;
}

}  // namespace megalith::tool
