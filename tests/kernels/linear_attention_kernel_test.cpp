// SPDX-License-Identifier: Apache-2.0
// Linear attention, forward and backward, whole and in pieces, against plain loops over all pairs.
#include "megalith/kernels/linear_attention.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "megalith/kernels/feature_map.h"
#include "support/forward.h"

namespace megalith::tests {
namespace {

struct Problem {
  Index B = 2, T = 9, heads = 3, key_width = 5, value_width = 4;
  bool turns = false;
};

/// Rows of q, k, turned_q, turned_k and v, positive but for the turned ones, which may be anything.
template <class S>
struct Rows {
  Problem p;
  Tensor<S> numbers;  // (B, T, heads * (4 Dk + Dv) + 3)

  explicit Rows(const Problem& problem) : p(problem), numbers({p.B, p.T, p.heads * (4 * p.key_width + p.value_width) + 3}) {
    testing::fill_noise(numbers, {1});
    for (Index i = 0; i < numbers.rows(); ++i) row_map(numbers.row(i), 2 * p.heads * p.key_width).array() += S(0.51);
  }

  /// Head 0 of what is the `piece`-th of q, k, turned_q, turned_k and v, from row t of sequence 0 on.
  HeadRows<S> at(int piece, Index t = 0) {
    const int place = !p.turns && (piece == 2 || piece == 3) ? piece - 2 : piece;
    return {numbers.row(t) + place * p.heads * p.key_width, numbers.cols(), piece == 4 ? p.value_width : p.key_width};
  }
  HeadRows<const S> read(int piece, Index t = 0) {
    const HeadRows<S> rows = at(piece, t);
    return {rows.data, rows.stride, rows.width};
  }
  LinearAttentionInput<S> input() { return {p.B, p.T, p.heads, read(0), read(1), read(2), read(3), read(4)}; }
  LinearAttentionGradient<S> gradient() { return {at(0), at(1), at(2), at(3), at(4)}; }
};

template <class S>
struct Outcome {
  Tensor<S> o, d;  // (B, T, heads * Dv); gradients in the places of Rows
};

/// Pair by pair.
Outcome<double> by_pairs(Rows<double>& rows, const Tensor<double>& d_o) {
  const Problem& p = rows.p;
  Rows<double> d = rows;
  d.numbers.fill(0);
  Outcome<double> out{d_o, {}};
  const LinearAttentionInput<double> in = rows.input();
  const LinearAttentionGradient<double> to = d.gradient();
  for (Index b = 0; b < p.B; ++b) {
    for (Index h = 0; h < p.heads; ++h) {
      for (Index t = 0; t < p.T; ++t) {
        const Index i = b * p.T + t;
        auto o = row_map(out.o.row(i) + h * p.value_width, p.value_width);
        const auto doi = row_map(d_o.row(i) + h * p.value_width, p.value_width);
        double sum = 0;
        o.setZero();
        for (Index j = b * p.T; j <= i; ++j) {
          sum += in.q.row(i, h).dot(in.k.row(j, h));
          o += in.turned_q.row(i, h).dot(in.turned_k.row(j, h)) * in.v.row(j, h);
        }
        o /= sum;
        for (Index j = b * p.T; j <= i; ++j) {
          const double dw = doi.dot(in.v.row(j, h)) / sum, dsum = -doi.dot(o) / sum;
          to.dv.row(j, h) += in.turned_q.row(i, h).dot(in.turned_k.row(j, h)) / sum * doi;
          to.d_turned_q.row(i, h) += dw * in.turned_k.row(j, h);
          to.d_turned_k.row(j, h) += dw * in.turned_q.row(i, h);
          to.dq.row(i, h) += dsum * in.k.row(j, h);
          to.dk.row(j, h) += dsum * in.q.row(i, h);
        }
      }
    }
  }
  out.d = d.numbers;
  return out;
}

/// The kernel, on the rows cut before `cut`; 0: whole, with nothing carried.
template <class S>
Outcome<S> by_kernel(Rows<S>& rows, const Tensor<S>& d_o, Index cut, bool batch_invariant = false) {
  Problem p = rows.p;
  Rows<S> d = rows;
  d.numbers.fill(0);
  for (int piece = 0; piece < 5; ++piece)  // written, not added to
    for (Index i = 0; i < d.numbers.rows(); ++i)
      row_map(d.at(piece, i).data, p.heads * d.at(piece).width).setConstant(testing::not_a_number<S>());
  Outcome<S> out{d_o, {}};
  Workspace workspace(3);
  Context ctx(workspace);
  ctx.batch_invariant = batch_invariant;
  if (cut == 0) {
    linear_attention_forward<S>(ctx, rows.input(), out.o.data(), {});
    linear_attention_backward<S>(ctx, rows.input(), out.o.data(), d_o.data(), {}, {}, d.gradient());
    return {out.o, d.numbers};
  }
  // One sequence, whose pieces are rows side by side.
  EXPECT_EQ(p.B, 1);
  Tensor<S> s({p.heads, p.key_width, p.value_width}), z({p.heads, p.key_width}), ds = s, dz = z, s_cut, z_cut;
  const auto input = [&](Index t, Index count) {
    return LinearAttentionInput<S>{
        1, count, p.heads, rows.read(0, t), rows.read(1, t), rows.read(2, t), rows.read(3, t), rows.read(4, t)};
  };
  const auto backward = [&](Index t, Index count, const Tensor<S>& s_at, const Tensor<S>& z_at) {
    linear_attention_backward<S>(ctx, input(t, count), out.o.row(t), d_o.row(t), {s_at.data(), z_at.data()},
                                 {ds.data(), dz.data()}, {d.at(0, t), d.at(1, t), d.at(2, t), d.at(3, t), d.at(4, t)});
  };
  linear_attention_forward<S>(ctx, input(0, cut), out.o.data(), {s.data(), z.data()});
  s_cut = s;
  z_cut = z;
  linear_attention_forward<S>(ctx, input(cut, p.T - cut), out.o.row(cut), {s.data(), z.data()});
  backward(cut, p.T - cut, s_cut, z_cut);
  s_cut.fill(S(0));
  z_cut.fill(S(0));
  backward(0, cut, s_cut, z_cut);
  return {out.o, d.numbers};
}

template <class S>
void expect_right(const Problem& p, Index cut) {
  SCOPED_TRACE(::testing::Message() << "T = " << p.T << ", widths " << p.key_width << " and " << p.value_width
                                    << (p.turns ? ", turned" : "") << ", cut at " << cut);
  Rows<double> exact(p);
  Rows<S> rows(p);
  for (Index i = 0; i < exact.numbers.size(); ++i) exact.numbers.data()[i] = static_cast<double>(rows.numbers.data()[i]);
  const auto d_o = noise<S>({p.B, p.T, p.heads * p.value_width}, 2);
  const Outcome<double> wanted = by_pairs(exact, noise({p.B, p.T, p.heads * p.value_width}, 2));
  const Outcome<S> got = by_kernel(rows, d_o, cut);
  constexpr double kTolerance = std::is_same_v<S, float> ? 2e-5 : 1e-13;
  EXPECT_LT(testing::relative_error(got.o, wanted.o), kTolerance) << "o";
  EXPECT_LT(testing::relative_error(got.d, wanted.d), kTolerance) << "gradients";
}

TEST(LinearAttention, IsTheSumOverAllPairs) {
  const Index chunk = detail::kLinearChunk, few = detail::kFewRows;
  for (const bool turns : {false, true}) {
    for (const Index T : {Index{1}, few, few + 1, chunk - 1, chunk, chunk + 1, 2 * chunk + 3}) {
      expect_right<double>({.T = T, .turns = turns}, 0);
      expect_right<float>({.T = T, .turns = turns}, 0);
    }
    expect_right<double>({.B = 1, .T = chunk + 9, .heads = 2, .key_width = 3, .value_width = 7, .turns = turns}, 0);
    expect_right<float>({.B = 1, .T = 3 * chunk, .heads = 2, .key_width = 64, .value_width = 32, .turns = turns}, 0);
  }
}

TEST(LinearAttention, GoesOnFromItsSums) {
  const Index chunk = detail::kLinearChunk;
  for (const bool turns : {false, true})
    for (const Index cut : {Index{1}, Index{5}, chunk - 1, chunk, chunk + 30}) {
      expect_right<double>({.B = 1, .T = 2 * chunk + 3, .turns = turns}, cut);
      expect_right<float>({.B = 1, .T = 2 * chunk + 3, .turns = turns}, cut);
    }
}

/// Also where the sums are large beside what a row adds.
TEST(LinearAttention, LongSequencesStayExact) { expect_right<float>({.B = 1, .T = 3000, .heads = 1}, 0); }

TEST(LinearAttention, ASequenceHasTheSameBitsInAnyBatch) {
  Rows<float> two({.B = 2, .T = 100});
  Rows<float> one({.B = 1, .T = 100});
  std::copy_n(two.numbers.row(100), one.numbers.size(), one.numbers.data());
  const auto d_o = noise<float>({2, 100, 12}, 2);
  const Tensor<float> d_second = [&] {
    auto t = noise<float>({1, 100, 12});
    std::copy_n(d_o.row(100), t.size(), t.data());
    return t;
  }();
  const Outcome<float> both = by_kernel(two, d_o, 0, true), alone = by_kernel(one, d_second, 0, true);
  EXPECT_TRUE(std::equal(alone.o.span().begin(), alone.o.span().end(), both.o.row(100)));
}

TEST(LinearAttention, SaysItsScratch) {
  for (const Problem& p : {Problem{.B = 2, .T = 300, .heads = 4, .key_width = 64, .value_width = 32}, Problem{.T = 9}}) {
    Rows<float> rows(p), d = rows;
    const auto d_o = noise<float>({p.B, p.T, p.heads * p.value_width}, 2);
    Tensor<float> o = d_o;
    Workspace workspace(1);
    const Context ctx(workspace);
    for (const bool backward : {false, true}) {
      workspace.reset_peak();
      if (backward) linear_attention_backward<float>(ctx, rows.input(), o.data(), d_o.data(), {}, {}, d.gradient());
      else linear_attention_forward<float>(ctx, rows.input(), o.data(), {});
      const double taken = static_cast<double>(workspace.peak() / sizeof(float));
      const double claimed = linear_attention_scratch(rows.input(), backward, 1);
      EXPECT_NEAR(claimed, taken, 0.02 * taken + 64) << "T = " << p.T << (backward ? ", backward" : ", forward");
    }
  }
}

TEST(FeatureMap, IsEluAndOne) {
  Tensor<double> x = tensor({4}, {-2, 0, 0.5, 3}), d = tensor({4}, {1, 10, 100, 1000});
  feature_map<double>(x.vec());
  EXPECT_DOUBLE_EQ(x.data()[0], std::exp(-2));
  EXPECT_EQ(x.data()[1], 1);
  EXPECT_EQ(x.data()[2], 1.5);
  EXPECT_EQ(x.data()[3], 4);
  feature_map_backward<double>(std::as_const(x).vec(), d.vec());
  EXPECT_DOUBLE_EQ(d.data()[0], std::exp(-2));
  EXPECT_EQ(d.data()[1], 10);
  EXPECT_EQ(d.data()[2], 100);
  EXPECT_EQ(d.data()[3], 1000);
}

}  // namespace
}  // namespace megalith::tests
