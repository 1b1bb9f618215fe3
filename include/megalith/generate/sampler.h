// SPDX-License-Identifier: Apache-2.0
// From logits to a byte.
#pragma once

#include <cstdint>
#include <span>

#include "megalith/core/random.h"
#include "megalith/generate/recent_bytes.h"

namespace megalith {

/// Which bytes may come, and how boldly. All of it applies one after the other, in this order, each to what is left.
struct SamplingConfig {
  double repetition_penalty = 1;  // of byte values that came lately; see penalise_repetition(). 1 means none
  int repetition_window = 64;     // how many bytes back, prompt included, they count; up to kMaxRepetition
  double temperature = 1;         // divides the logits; 0 takes the most likely byte
  int top_k = 0;                  // only the k most likely; 0 means all
  double top_p = 1;               // only the most likely ones that together reach this probability; 1 means all
  double min_p = 0;               // only those at least this likely relative to the most likely; 0 means all
  std::uint64_t seed = 1;

  static constexpr int kMaxRepetition = 1 << 20;

  bool operator==(const SamplingConfig&) const = default;

  /// Throws Error with every problem at once.
  void validate() const;
};

/// Makes byte values that came lately less likely, however often they came: their logits, 256 in all, are divided by the
/// penalty where they are positive and multiplied where they are negative (Keskar et al. 2019, "CTRL", 4.1, which divides;
/// negative ones as in Hugging Face's RepetitionPenaltyLogitsProcessor). A penalty below 1 makes them more likely.
void penalise_repetition(std::span<float> logits, const RecentBytes& recent, double penalty);

/// A byte drawn from softmax(logits / temperature) within the limits; logits has 256 numbers. Key and counter decide the
/// draw. Among equally likely bytes the smaller value comes first. Allocates nothing. Throws Error when a logit is not a
/// number.
std::uint8_t sample(std::span<const float> logits, const SamplingConfig& config, RandomKey key, std::uint64_t counter);

}  // namespace megalith
