// SPDX-License-Identifier: Apache-2.0
// Attention in chunks whose scores have a bias for each distance, or whose weights are no softmax (Ma et al. 2022, 3.3 and
// 3.4): its parts, and the form by rows.
#pragma once

#include "megalith/kernels/attention.h"
#include "megalith/kernels/attention_function.h"

namespace megalith::detail {

/// Queries [q_begin, q_end) of a sequence, all in one chunk, whose first key is key k_begin.
struct ChunkQueries {
  Index b, q_begin, q_end, k_begin;
};

/// An AttentionInput of one head, cut at the chunks of its mask, which has no overlap: no two parts share a key.
template <class S>
class ChunkParts {
 public:
  explicit ChunkParts(const AttentionInput<S>& in)
      : chunk_(in.shape.mask.size),
        past_(in.Tk - in.Tq),
        first_position_(in.first_position),
        first_chunk_((first_position_ + past_) / chunk_),
        chunks_((first_position_ + in.Tk - 1) / chunk_ - first_chunk_ + 1),
        Tq_(in.Tq),
        B_(in.B) {
    assert(in.shape.heads == 1 && in.shape.kv_heads == 1);
    assert(in.shape.mask.kind == MaskKind::chunk && chunk_ > 0 && in.shape.mask.overlap == 0);
  }

  Index count() const { return B_ * chunks_; }
  ChunkQueries operator[](Index part) const {
    const Index start = (first_chunk_ + part % chunks_) * chunk_ - first_position_;  // the chunk's first key
    return {part / chunks_, std::max<Index>(0, start - past_), std::min(Tq_, start + chunk_ - past_),
            std::max<Index>(0, start)};
  }
  /// How many parts one task handles: several of few pairs.
  Index of_a_task() const {
    constexpr Index kPairs = 512;
    return std::max<Index>(1, kPairs / (std::min(chunk_, Tq_) * std::min(chunk_, past_ + Tq_)));
  }

 private:
  Index chunk_, past_, first_position_, first_chunk_, chunks_, Tq_, B_;
};

/// Query by query: exactly the pairs that are needed.
template <class S>
void chunk_rows_forward(const Context& ctx, const AttentionInput<S>& in, const AttentionWeights<S>& weights, S* o,
                        S* log_sums) {
  const Index width = in.shape.value_width, longest = in.shape.mask.most_keys(in.Tk);
  const ChunkParts<S> parts(in);
  ctx.parallel_ranges(parts.count(), parts.of_a_task(), [&](Index begin, Index end, Arena& arena) {
    Frame frame(arena);
    S *const scores = frame.take<S>(longest), *const spare = frame.take<S>(longest);
    for (Index part = begin; part < end; ++part) {
      const auto [b, q_begin, q_end, k_begin] = parts[part];
      for (Index i = q_begin; i < q_end; ++i) {
        auto p = row_map(scores, in.end_key(i) - k_begin);
        row_scores(in, b, 0, i, k_begin, S(1), p);
        S log_sum{};
        weights.forward(p, spare, log_sum);
        if (log_sums != nullptr) log_sums[b * in.Tq + i] = log_sum;
        auto out = row_map(o + in.out(b, 0, i), width);
        out.setConstant(S(0));
        [[maybe_unused]] const GemmScope<S> scope;
        for (Index j = 0; j < p.size(); ++j) out += row_map(in.value(b, 0, k_begin + j), width) * p(j);
      }
    }
  });
}

/// d_bias (parts, distances) has a row for each part, or is null.
template <class S>
void chunk_rows_backward(const Context& ctx, const AttentionInput<S>& in, const AttentionWeights<S>& weights,
                         const S* log_sums, const S* d_o, const AttentionGradient<S>& out, S* d_bias, Index distances) {
  const Index key_width = in.shape.key_width, value_width = in.shape.value_width;
  const Index longest = in.shape.mask.most_keys(in.Tk);
  const ChunkParts<S> parts(in);
  ctx.parallel_ranges(parts.count(), parts.of_a_task(), [&](Index begin, Index end, Arena& arena) {
    Frame frame(arena);
    S *const scores = frame.take<S>(longest), *const d_scores = frame.take<S>(longest),
             *const spare = frame.take<S>(longest);
    for (Index part = begin; part < end; ++part) {
      const auto [b, q_begin, q_end, k_begin] = parts[part];
      for (Index i = q_begin; i < q_end; ++i) {
        const Index keys = in.end_key(i) - k_begin;
        auto p = row_map(scores, keys), ds = row_map(d_scores, keys);
        const auto doi = row_map(d_o + in.out(b, 0, i), value_width);
        const auto q = row_map(in.query(b, 0, i), key_width);
        // forward was: o_i = sum_j p_j v_j, p = f(s), s_j = q_i k_j. So dp_j = do_i v_j, ds = f'(s) dp, dv_j += p_j do_i,
        // dq_i = sum_j ds_j k_j, dk_j += ds_j q_i.
        row_scores(in, b, 0, i, k_begin, S(1), p);
        for (Index j = 0; j < keys; ++j) ds(j) = math::dot(doi, row_map(in.value(b, 0, k_begin + j), value_width));
        weights.backward(p, ds, spare, log_sums[b * in.Tq + i], d_bias == nullptr ? nullptr : d_bias + part * distances);
        auto dq = row_map(out.query(in, b, 0, i), key_width);
        dq.setConstant(S(0));
        for (Index j = 0; j < keys; ++j) {
          row_map(out.value(in, b, 0, k_begin + j), value_width) += doi * p(j);
          dq += row_map(in.key(b, 0, k_begin + j), key_width) * ds(j);
          row_map(out.key(in, b, 0, k_begin + j), key_width) += q * ds(j);
        }
      }
    }
  });
}

}  // namespace megalith::detail
