// SPDX-License-Identifier: Apache-2.0
// From logits to a byte.
#pragma once

#include <cstdint>
#include <span>

#include "megalith/core/random.h"

namespace megalith {

/// Which bytes may come, and how boldly. The limits apply one after the other, in this order, and each to what is left.
struct SamplingConfig {
  double temperature = 1;  // divides the logits; 0 takes the most likely byte
  int top_k = 0;           // only the k most likely; 0 means all
  double top_p = 1;        // only the most likely ones that together reach this probability; 1 means all
  double min_p = 0;        // only those at least this likely relative to the most likely; 0 means all
  std::uint64_t seed = 1;

  bool operator==(const SamplingConfig&) const = default;

  /// Throws Error with every problem at once.
  void validate() const;
};

/// A byte drawn from softmax(logits / temperature) within the limits; logits has 256 numbers. Key and counter decide the
/// draw. Among equally likely bytes the smaller value comes first. Allocates nothing. Throws Error when a logit is not a
/// number.
std::uint8_t sample(std::span<const float> logits, const SamplingConfig& config, RandomKey key, std::uint64_t counter);

}  // namespace megalith
