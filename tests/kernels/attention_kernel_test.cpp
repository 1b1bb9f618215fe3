// SPDX-License-Identifier: Apache-2.0
// Both forms of attention against the T x T matrix of scores that they avoid.
#include <gtest/gtest.h>

#include <vector>

#include "megalith/kernels/attention.h"
#include "megalith/testing/sample.h"

namespace megalith {
namespace {

struct Problem {
  Index B = 2, H = 3, D = 5, Tq = 9, Tk = 9, window = 0;
};

/// Queries, keys and values side by side in rows of 3 H D numbers, the keys with rows to spare between sequences.
struct Numbers {
  Tensor<double> q, kv;
  AttentionInput<double> in;

  explicit Numbers(const Problem& p) : q({p.B, p.Tq, 3 * p.H * p.D}), kv({p.B, p.Tk + 4, 2 * p.H * p.D}) {
    testing::fill_noise(q, {1});
    testing::fill_noise(kv, {2});
    q.vec() *= 6;  // far from uniform attention
    const Index C = p.H * p.D;
    in = {q.data(), 3 * C, kv.data(), kv.data() + C, 2 * C, p.Tk + 4, p.B, p.H, p.D, p.Tq, p.Tk, p.window};
  }
};

/// The definition: o = softmax(q k^T / sqrt(D) + mask) v.
Tensor<double> by_definition(const AttentionInput<double>& in) {
  Tensor<double> o({in.B, in.Tq, in.H * in.D});
  for (Index b = 0; b < in.B; ++b) {
    for (Index h = 0; h < in.H; ++h) {
      for (Index i = 0; i < in.Tq; ++i) {
        const Index position = in.Tk - in.Tq + i;
        std::vector<double> weight(static_cast<std::size_t>(in.Tk), 0.0);
        double sum = 0;
        for (Index j = 0; j <= position; ++j) {
          if (in.window > 0 && j <= position - in.window) continue;
          double score = 0;
          for (Index d = 0; d < in.D; ++d) score += in.query(b, h, i)[d] * in.key(b, h, j)[d];
          weight[static_cast<std::size_t>(j)] = std::exp(score / std::sqrt(static_cast<double>(in.D)));
          sum += weight[static_cast<std::size_t>(j)];
        }
        for (Index j = 0; j < in.Tk; ++j)
          for (Index d = 0; d < in.D; ++d)
            o.row(b * in.Tq + i)[h * in.D + d] += weight[static_cast<std::size_t>(j)] / sum * in.value(b, h, j)[d];
      }
    }
  }
  return o;
}

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const Index Tk : {1, 9, 16, 17, 65, 127, 128, 129, 260, 515}) {
    for (const Index Tq : {Index{1}, Index{4}, Index{5}, Tk / 2 + 1, Tk}) {
      if (Tq > Tk) continue;
      for (const Index window : {0, 1, 3, 128, 130, 300}) all.push_back({.Tq = Tq, .Tk = Tk, .window = window});
    }
  }
  return all;
}

TEST(Attention, BothFormsMatchTheDefinition) {
  Workspace workspace(2);
  const Context ctx(workspace);
  for (const Problem& p : problems()) {
    const Numbers n(p);
    const Tensor<double> expected = by_definition(n.in);
    Tensor<double> o = expected, log_sums({p.B, p.H, p.Tq}), other_sums = log_sums;
    o.fill(std::numeric_limits<double>::quiet_NaN());
    detail::attention_rows_forward(ctx, n.in, o.data(), log_sums.data());
    EXPECT_LT(testing::relative_error(o, expected), 1e-13) << "rows: " << p.Tq << " of " << p.Tk << ", window " << p.window;
    o.fill(std::numeric_limits<double>::quiet_NaN());
    detail::attention_tiles_forward(ctx, n.in, o.data(), other_sums.data());
    EXPECT_LT(testing::relative_error(o, expected), 1e-13) << "tiles: " << p.Tq << " of " << p.Tk << ", window " << p.window;
    EXPECT_LT(testing::relative_error(other_sums, log_sums), 1e-13);
  }
}

TEST(Attention, BothFormsGiveTheSameGradients) {
  Workspace workspace(2);
  const Context ctx(workspace);
  for (const Problem& p : problems()) {
    const Numbers n(p);
    const Index C = p.H * p.D;
    Tensor<double> o({p.B, p.Tq, C}), log_sums({p.B, p.H, p.Tq}), d_o = o;
    testing::fill_noise(d_o, {3});
    attention_forward(ctx, n.in, o.data(), log_sums.data());
    const auto backward = [&](auto&& form) {
      Tensor<double> dq({p.B, p.Tq, 3 * C}), dkv({p.B, p.Tk + 4, 2 * C});
      testing::fill_noise(dkv, {4});  // added to
      form(AttentionGradient<double>{dq.data(), dkv.data(), dkv.data() + C});
      return std::pair(dq, dkv);
    };
    const auto rows = backward(
        [&](const auto& out) { detail::attention_rows_backward(ctx, n.in, o.data(), log_sums.data(), d_o.data(), out); });
    const auto tiles = backward(
        [&](const auto& out) { detail::attention_tiles_backward(ctx, n.in, o.data(), log_sums.data(), d_o.data(), out); });
    EXPECT_LT(testing::relative_error(tiles.first, rows.first), 1e-13) << p.Tq << " of " << p.Tk << ", window " << p.window;
    EXPECT_LT(testing::relative_error(tiles.second, rows.second), 1e-13)
        << p.Tq << " of " << p.Tk << ", window " << p.window;
  }
}

/// The same in float.
struct FloatNumbers {
  Tensor<float> q, kv;
  AttentionInput<float> in;

  explicit FloatNumbers(const Numbers& n) : q({n.q.rows(), n.q.cols()}), kv({n.kv.rows(), n.kv.cols()}) {
    q.vec() = n.q.vec().cast<float>();
    kv.vec() = n.kv.vec().cast<float>();
    const AttentionInput<double>& d = n.in;
    in = {q.data(), d.q_stride, kv.data(), kv.data() + d.H * d.D, d.kv_stride, d.kv_rows, d.B, d.H, d.D,
          d.Tq,     d.Tk,       d.window};
  }
};

double error_of(const Tensor<float>& got, const Tensor<double>& expected) {
  return (got.vec().cast<double>() - expected.vec()).norm() / expected.vec().norm();
}

TEST(Attention, FloatTilesMatchDoubles) {
  // Long enough for the kernels that lay both factors out, with queries that begin where those may begin, and where not.
  Workspace workspace(2);
  for (const auto& [Tq, Tk] : {std::pair<Index, Index>{520, 520}, {604, 700}, {300, 641}, {70, 600}, {17, 20}}) {
    for (const Index window : {0, 130, 300}) {
      for (const Index D : {5, 40}) {
        const Problem p{.B = 1, .H = 2, .D = D, .Tq = Tq, .Tk = Tk, .window = window};
        const Numbers n(p);
        const FloatNumbers f(n);
        const Index C = p.H * p.D;
        Tensor<double> o({1, Tq, C}), log_sums({1, p.H, Tq}), d_o = o, dq({1, Tq, 3 * C}), dkv({1, Tk + 4, 2 * C});
        testing::fill_noise(d_o, {3});
        const Context exact(workspace);
        detail::attention_tiles_forward(exact, n.in, o.data(), log_sums.data());
        detail::attention_tiles_backward(exact, n.in, o.data(), log_sums.data(), d_o.data(),
                                         {dq.data(), dkv.data(), dkv.data() + C});
        for (const Context& ctx : {Context(workspace), Context(workspace).as_batch_invariant()}) {
          Tensor<float> fo({Tq, C}), fd_o = fo, fsums({p.H, Tq}), fdq({Tq, 3 * C}), fdkv({Tk + 4, 2 * C});
          fd_o.vec() = d_o.vec().cast<float>();
          fo.fill(std::numeric_limits<float>::quiet_NaN());
          detail::attention_tiles_forward(ctx, f.in, fo.data(), fsums.data());
          detail::attention_tiles_backward(ctx, f.in, fo.data(), fsums.data(), fd_o.data(),
                                           {fdq.data(), fdkv.data(), fdkv.data() + C});
          const std::string what = ::testing::PrintToString(std::vector<Index>{Tq, Tk, window, D, ctx.batch_invariant});
          EXPECT_LT(error_of(fo, o), 2e-6) << what;
          EXPECT_LT(error_of(fsums, log_sums), 1e-6) << what;
          EXPECT_LT(error_of(fdq, dq), 4e-6) << what;
          EXPECT_LT(error_of(fdkv, dkv), 4e-6) << what;
        }
      }
    }
  }
}

TEST(Attention, LargeScoresDoNotOverflow) {
  Workspace workspace(1);
  const Context ctx(workspace);
  const Problem p{.Tq = 70, .Tk = 70};
  Numbers n(p);
  n.q.vec() *= 1e4;
  Tensor<double> o({p.B, p.Tq, p.H * p.D}), rows = o;
  attention_forward<double>(ctx, n.in, o.data(), nullptr);
  detail::attention_rows_forward<double>(ctx, n.in, rows.data(), nullptr);
  EXPECT_LT(testing::relative_error(o, rows), 1e-9);
}

TEST(AttentionPairs, CountsWhatIsSeen) {
  for (const Index T : {1, 2, 9}) {
    for (const Index window : {0, 1, 4, 20}) {
      for (const Index past : {0, 3, 7}) {
        Index pairs = 0;
        for (Index i = past; i < past + T; ++i)
          for (Index j = 0; j <= i; ++j) pairs += window == 0 || j > i - window;
        EXPECT_EQ(attention_pairs(T, window, past), static_cast<double>(pairs)) << T << ' ' << window << ' ' << past;
      }
    }
  }
}

}  // namespace
}  // namespace megalith
