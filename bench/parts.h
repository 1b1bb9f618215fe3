// SPDX-License-Identifier: Apache-2.0
// Calls of a training step, each measured alone and counted: the roofline of Williams et al. 2009, by part.
#pragma once

#include <unistd.h>

#include <string>
#include <vector>

#include "machine_limits.h"
#include "training_step.h"

namespace megalith::bench {

/// What one call computes and moves: FLOPs, a multiply-add counting two and a root, exponential or division one; numbers,
/// where each operand is read once and each result written once (a sum that is added to: both).
struct Work {
  double flops = 0, numbers = 0;
};

/// Which peak a call is held against.
enum class Arithmetic { fp32, products };

/// Calls of one shape.
struct Call {
  std::string part;
  int scale;     // from the outermost; -1: of the whole model
  double count;  // in a step; the last tile of a sequence may be a fraction of one
  Work work;
  Arithmetic arithmetic;
  double seconds;  // of one
};

/// All calls of a part at a scale.
struct Part {
  std::string name;
  int scale = -1;
  double calls = 0, flops = 0, bytes = 0, seconds = 0, allowed = 0;
};

/// Measures calls one by one.
class Roofline {
 public:
  explicit Roofline(const Context& ctx) : ctx_(ctx) {}

  const Context& ctx() const { return ctx_; }
  int scale = 0;  // of the calls to come

  template <class F>
  void add(const char* part, double count, Work work, F&& call, Arithmetic arithmetic = Arithmetic::fp32) {
    constexpr double kSeconds = 0.08;
    constexpr std::size_t kMin = 5;
    call();
    std::vector<double> all;
    for (double total = 0; total < kSeconds || all.size() < kMin; total += all.back()) all.push_back(seconds_of(call));
    calls_.push_back({part, scale, count, work, arithmetic, median(all)});
  }

  /// Parts in the order in which they were met, with what the limits allow: a call takes no less than its FLOPs at the peak,
  /// nor than its bytes at the bandwidth of L3 if they fit it, by what the system tells of its size, else of memory. It may
  /// take less where they lie in a nearer cache.
  std::vector<Part> parts(const Limits& limits) const {
    std::vector<Part> all;
    const double l3 = static_cast<double>(std::max<long>(sysconf(_SC_LEVEL3_CACHE_SIZE), kCacheBytes));
    const bool bf16 = ctx_.precision == Precision::bf16;
    for (const Call& c : calls_) {
      auto at = std::find_if(all.begin(), all.end(), [&](const Part& p) { return p.name == c.part && p.scale == c.scale; });
      if (at == all.end()) at = all.insert(all.end(), {.name = c.part, .scale = c.scale});
      const double bytes = c.work.numbers * sizeof(float);
      const double peak = c.arithmetic == Arithmetic::fp32 ? limits.fp32 : bf16 ? limits.bf16 : limits.fp32_products();
      const double bandwidth = bytes <= l3 ? limits.cache : limits.memory;
      at->calls += c.count;
      at->flops += c.count * c.work.flops;
      at->bytes += c.count * bytes;
      at->seconds += c.count * c.seconds;
      at->allowed += c.count * std::max(c.work.flops / peak, bytes / bandwidth);
    }
    return all;
  }

 private:
  Context ctx_;
  std::vector<Call> calls_;
};

/// Memory for a (B,T,C) of numbers that are not 0.
struct Activations {
  Tensor<float> numbers;
  Index B, T;

  Activations(Index b, Index t, Index c) : numbers({b * t, c}), B(b), T(t) {
    for (Index i = 0; i < numbers.size(); ++i)
      numbers.data()[i] = static_cast<float>(random_truncated_normal(RandomKey{4}, static_cast<std::uint64_t>(i)));
  }
  Seq<float> seq() { return {numbers.data(), B, T, numbers.cols()}; }
  operator Seq<float>() { return seq(); }
  operator Seq<const float>() { return seq(); }
  float* data() { return numbers.data(); }
};

}  // namespace megalith::bench
