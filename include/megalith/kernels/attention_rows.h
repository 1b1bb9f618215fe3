// SPDX-License-Identifier: Apache-2.0
// Attention one query at a time: exactly the pairs that are needed, no padding. For the short sequences inside a patch, and
// for decoding.
#pragma once

#include "megalith/kernels/attention_input.h"
#include "megalith/kernels/gemm.h"
#include "megalith/kernels/math.h"

namespace megalith::detail {

/// How the queries of a head are cut: a block and the one after next share no key, so that blocks of even number, and then
/// those of odd number, may add to the gradients of keys at once.
struct QueryBlocks {
  Index size, count;

  template <class S>
  explicit QueryBlocks(const AttentionInput<S>& in)
      : size(std::max<Index>(64, in.shape.mask.most_keys(in.Tk))), count((in.Tq + size - 1) / size) {}
  Index begin(Index block) const { return block * size; }
  Index end(Index block, Index Tq) const { return std::min(Tq, (block + 1) * size); }
};

/// Blocks of queries that one task handles, each of `group` heads: several of short sequences.
template <class S>
Index blocks_per_task(const AttentionInput<S>& in, Index group) {
  constexpr Index kShortHeads = 16;
  return in.Tq * in.Tk <= 512 ? std::max<Index>(1, kShortHeads / group) : 1;
}

/// Scores of query i of head h against the keys [first, first + s.size()), scaled, into s.
template <class S>
void row_scores(const AttentionInput<S>& in, Index b, Index h, Index i, Index first, S scale, RowMap<S> s) {
  const Index width = in.shape.key_width, kh = in.shape.key_head(h);
  const auto q = row_map(in.query(b, h, i), width);
  {
    [[maybe_unused]] const GemmScope<S> scope;
    for (Index j = 0; j < s.size(); ++j) s(j) = math::dot(q, row_map(in.key(b, kh, first + j), width));
  }
  s *= scale;
}

template <class S>
void attention_rows_forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) {
  const Index H = in.shape.heads, value_width = in.shape.value_width;
  const S scale = S(in.shape.score_scale());
  const QueryBlocks blocks(in);
  ctx.parallel_ranges(in.B * H * blocks.count, blocks_per_task(in, 1), [&](Index begin, Index end, Arena& arena) {
    Frame frame(arena);
    S* const scores = frame.take<S>(in.shape.mask.most_keys(in.Tk));
    for (Index task = begin; task < end; ++task) {
      const Index bh = task / blocks.count, block = task % blocks.count, b = bh / H, h = bh % H, kh = in.shape.key_head(h);
      for (Index i = blocks.begin(block); i < blocks.end(block, in.Tq); ++i) {
        const Index first = in.first_key(i);
        auto p = row_map(scores, in.end_key(i) - first);
        row_scores(in, b, h, i, first, scale, p);
        const S top = math::max(p.array());
        p.array() = math::exp(p.array() - top);
        const S sum = math::sum(p.array());
        auto out = row_map(o + in.out(b, h, i), value_width);
        out.setConstant(S(0));
        {
          [[maybe_unused]] const GemmScope<S> scope;
          for (Index j = 0; j < p.size(); ++j) out += row_map(in.value(b, kh, first + j), value_width) * p(j);
        }
        out *= S(1) / sum;
        if (log_sums != nullptr) log_sums[bh * in.Tq + i] = top + math::log(sum);
      }
    }
  });
}

/// One block of one (sequence, head of keys) by one thread: dk and dv are sums over the queries of the heads that read them,
/// in one order.
template <class S>
void attention_rows_backward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                             const AttentionGradient<S>& out) {
  const Index H = in.shape.heads, key_heads = in.shape.kv_heads, group = in.shape.group();
  const Index key_width = in.shape.key_width, value_width = in.shape.value_width;
  const S scale = S(in.shape.score_scale());
  const QueryBlocks blocks(in);
  const auto one_block = [&](Index b, Index h, Index block, S* scores) {
    const Index kh = in.shape.key_head(h);
    for (Index i = blocks.begin(block); i < blocks.end(block, in.Tq); ++i) {
      const Index first = in.first_key(i);
      auto p = row_map(scores, in.end_key(i) - first);
      row_scores(in, b, h, i, first, scale, p);
      p.array() = math::exp(p.array() - log_sums[(b * H + h) * in.Tq + i]);
      const auto doi = row_map(d_o + in.out(b, h, i), value_width);
      const auto q = row_map(in.query(b, h, i), key_width);
      auto dq = row_map(out.query(in, b, h, i), key_width);
      // forward was: o_i = sum_j p_j v_j, p = softmax(s), s_j = scale q_i k_j. So dv_j += p_j do_i, dp_j = do_i v_j,
      // ds_j = p_j (dp_j - do_i o_i), dq_i = scale sum_j ds_j k_j, dk_j += scale ds_j q_i.
      const S mean_dp = math::dot(doi, row_map(o + in.out(b, h, i), value_width));
      dq.setConstant(S(0));
      for (Index j = 0; j < p.size(); ++j) {
        const S dp = math::dot(doi, row_map(in.value(b, kh, first + j), value_width));
        const S ds = p(j) * (dp - mean_dp) * scale;
        row_map(out.value(in, b, kh, first + j), value_width) += doi * p(j);
        dq += row_map(in.key(b, kh, first + j), key_width) * ds;
        row_map(out.key(in, b, kh, first + j), key_width) += q * ds;
      }
    }
  };
  for (const Index parity : {0, 1}) {
    const Index count = (blocks.count + 1 - parity) / 2;  // blocks of that parity
    ctx.parallel_ranges(in.B * key_heads * count, blocks_per_task(in, group), [&](Index begin, Index end, Arena& arena) {
      Frame frame(arena);
      S* const scores = frame.take<S>(in.shape.mask.most_keys(in.Tk));
      for (Index task = begin; task < end; ++task) {
        const Index bk = task / count, block = 2 * (task % count) + parity;
        for (Index g = 0; g < group; ++g) one_block(bk / key_heads, bk % key_heads * group + g, block, scores);
      }
    });
  }
}

}  // namespace megalith::detail
