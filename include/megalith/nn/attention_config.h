// SPDX-License-Identifier: Apache-2.0
// The numbers and options of an attention.
#pragma once

#include "megalith/kernels/attention_input.h"

namespace megalith {

struct AttentionConfig {
  Index width = 512;      // C, in and out
  Index heads = 8;        // H, of queries
  Index kv_heads = 0;     // of keys and values, divides heads; 0: heads
  Index key_width = 0;    // of a head; 0: width / heads. Even with rotary positions
  Index value_width = 0;  // of a head; 0: width / heads
  double scale = 0;       // of the scores; 0: 1/sqrt(key_width)
  AttentionMask mask{};
  double rotary_base = 0;  // 0: no rotation
  bool qk_norm = false;    // RMSNorm of each head's queries and keys
  bool bias = true;
  bool recompute = false;  // keeps only what attention gave, and computes queries, keys and values again in backward

  bool operator==(const AttentionConfig&) const = default;
};

/// The shape of a config, its defaults filled in.
inline AttentionShape attention_shape(const AttentionConfig& c) {
  return {.heads = c.heads,
          .kv_heads = c.kv_heads > 0 ? c.kv_heads : c.heads,
          .key_width = c.key_width > 0 ? c.key_width : c.width / c.heads,
          .value_width = c.value_width > 0 ? c.value_width : c.width / c.heads,
          .scale = c.scale,
          .mask = c.mask};
}

}  // namespace megalith
