// SPDX-License-Identifier: Apache-2.0
#include "eval_report.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "compressors.h"
#include "table.h"

namespace megalith::tool {
namespace {

using page::counted, page::grouped, page::one_line;

double bits_per_byte(double bits, std::int64_t bytes) { return bits / static_cast<double>(bytes); }

/// Bits that a program makes of each file; NaN where there is no such program.
std::vector<double> compressed_bits(const Compressor& program, const EvalBits& result) {
  std::vector<double> bits;
  for (const FileBits& file : result.files) {
    const std::optional<std::int64_t> bytes = compressed_bytes(program, file.path);
    bits.push_back(bytes ? 8 * static_cast<double>(*bytes) : NAN);
  }
  return bits;
}

double sum(const std::vector<double>& numbers) {
  double all = 0;
  for (const double x : numbers) all += x;
  return all;
}

struct Comparison {
  Compressor program;
  std::vector<double> bits;  // of each file
};

std::vector<Comparison> comparisons(const EvalBits& result, bool compare) {
  std::vector<Comparison> all;
  if (!compare) return all;
  for (const Compressor& program : compressors()) all.push_back({program, compressed_bits(program, result)});
  return all;
}

void print_positions(const std::vector<page::PositionBin>& bins) {
  if (bins.empty()) return;
  std::vector<std::vector<std::string>> rows{{"position in file", "bits/byte", "bytes"}};
  for (std::size_t i = 0; i < bins.size(); ++i)
    rows.push_back({page::position_name(bins[i], i + 1 == bins.size()), page::rounded(bins[i].bits_per_byte(), 4),
                    grouped(bins[i].bytes)});
  std::printf("\n%s\n", table(rows).c_str());
}

}  // namespace

void print_table(const EvalBits& result, bool compare) {
  const std::vector<Comparison> programs = comparisons(result, compare);
  std::printf("%9s  %13s", "bits/byte", "bytes");
  for (const Comparison& c : programs) std::printf("  %8s", c.program.name.c_str());
  std::printf("  file\n");
  for (std::size_t i = 0; i < result.files.size(); ++i) {
    const FileBits& file = result.files[i];
    std::printf("%9.4f  %13s", bits_per_byte(file.bits, file.bytes), grouped(file.bytes).c_str());
    for (const Comparison& c : programs)
      if (std::isnan(c.bits[i])) std::printf("  %8s", "-");
      else std::printf("  %8.4f", bits_per_byte(c.bits[i], file.bytes));
    std::printf("  %s\n", one_line(file.path).c_str());
  }
  print_positions(result.positions);
  for (const Comparison& c : programs)
    if (std::isnan(sum(c.bits)))
      std::printf("%s: %s is not installed\n", c.program.name.c_str(), c.program.command[0].c_str());
    else std::printf("%s: %.6f\n", c.program.name.c_str(), bits_per_byte(sum(c.bits), result.bytes));
  if (result.left_out > 0)
    std::printf("left out: %s at the ends of files, no whole record of the model's\n",
                counted(result.left_out, "byte").c_str());
  std::printf("files: %zu\nbytes: %lld\nbits: %.1f\nbits_per_byte: %.6f\n", result.files.size(),
              static_cast<long long>(result.bytes), result.bits, result.bits_per_byte());
}

void print_json(const EvalBits& result, bool compare) {
  using Json = nlohmann::ordered_json;
  const std::vector<Comparison> programs = comparisons(result, compare);
  // What is not installed has null, as NaN has in JSON.
  const auto number = [](double x) { return std::isnan(x) ? Json() : Json(x); };
  Json files = Json::array();
  for (std::size_t i = 0; i < result.files.size(); ++i) {
    const FileBits& file = result.files[i];
    Json one{{"file", file.path},
             {"bytes", file.bytes},
             {"bits", file.bits},
             {"bits_per_byte", bits_per_byte(file.bits, file.bytes)}};
    for (const Comparison& c : programs) one[c.program.name] = number(bits_per_byte(c.bits[i], file.bytes));
    files.push_back(std::move(one));
  }
  Json all{{"files", std::move(files)},
           {"bytes", result.bytes},
           {"bits", result.bits},
           {"bits_per_byte", result.bits_per_byte()},
           {"left_out", result.left_out}};
  for (const Comparison& c : programs) all[c.program.name] = number(bits_per_byte(sum(c.bits), result.bytes));
  for (const page::PositionBin& bin : result.positions)
    all["positions"].push_back({{"from", bin.from},
                                {"to", bin.to},
                                {"bytes", bin.bytes},
                                {"bits", bin.bits},
                                {"bits_per_byte", bin.bits_per_byte()}});
  std::puts(all.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace megalith::tool
