// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/attention_scratch.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

/// Numbers of scratch that attention of B sequences of T positions takes in float on one thread.
double taken(const AttentionShape& shape, Index B, Index T, bool backward) {
  const Index channels = shape.query_channels() + shape.key_channels() + shape.value_channels();
  const Tensor<float> rows = noise<float>({B, T, channels}), d_o = noise<float>({B, T, shape.out_channels()}, 2);
  Tensor<float> d_rows = rows, o = d_o, log_sums({B * shape.heads * T});
  const AttentionInput<float> in{.shape = shape,
                                 .B = B,
                                 .Tq = T,
                                 .Tk = T,
                                 .q = rows.data(),
                                 .k = rows.data() + shape.query_channels(),
                                 .v = rows.data() + shape.query_channels() + shape.key_channels(),
                                 .q_stride = channels,
                                 .k_stride = channels,
                                 .v_stride = channels,
                                 .kv_rows = T};
  Workspace workspace(1);
  const Context ctx(workspace);
  attention_forward(ctx, in, o.data(), log_sums.data());
  if (backward) {
    workspace.reset_peak();
    float* const d = d_rows.data();
    attention_backward(
        ctx, in, o.data(), log_sums.data(), d_o.data(),
        AttentionGradient<float>{d, d + shape.query_channels(), d + shape.query_channels() + shape.key_channels()});
  }
  return static_cast<double>(workspace.peak() / sizeof(float));
}

// With the kernels of this processor, which pack operands.
TEST(AttentionScratch, IsWhatTheKernelsTake) {
  struct Case {
    AttentionShape shape;
    Index B, T;
  };
  for (const Case& c : {Case{{.heads = 2, .kv_heads = 2, .key_width = 32, .value_width = 32}, 1, 700},
                        {{.heads = 6, .kv_heads = 2, .key_width = 16, .value_width = 24}, 3, 300},
                        {{.heads = 2, .kv_heads = 1, .key_width = 32, .value_width = 32}, 1, 100},
                        {{.heads = 8, .kv_heads = 8, .key_width = 64, .value_width = 64}, 2, 520}}) {
    for (const bool backward : {false, true}) {
      const double claimed = attention_scratch<float>(c.shape, c.B, c.T, c.T, backward, 1);
      const double found = taken(c.shape, c.B, c.T, backward);
      EXPECT_NEAR(claimed, found, 0.02 * found) << "T = " << c.T << (backward ? ", backward" : ", forward");
      EXPECT_EQ(attention_scratch<ShapeOnly>(c.shape, c.B, c.T, c.T, backward, 1), claimed);
    }
  }
}

}  // namespace
}  // namespace megalith::tests
