// SPDX-License-Identifier: Apache-2.0
// Both forms of attention, forward and backward, against plain loops over all pairs.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "megalith/kernels/attention.h"
#include "megalith/testing/sample.h"

namespace megalith {
namespace {

using detail::kDiagonalStep, detail::kKeyTile, detail::kQueryTile;

struct Problem {
  AttentionShape shape{.heads = 3, .kv_heads = 3, .key_width = 5, .value_width = 5};
  Index B = 2, Tq = 9, Tk = 9;
  Index first_position = 0;

  std::string name() const {
    const AttentionMask& m = shape.mask;
    return ::testing::PrintToString(std::vector<Index>{Tq, Tk}) + " after " + std::to_string(first_position) + ", heads " +
           ::testing::PrintToString(std::vector<Index>{shape.heads, shape.kv_heads, shape.key_width, shape.value_width}) +
           (m.kind == MaskKind::window ? ", window " : ", chunk ") + std::to_string(m.size) + " + " +
           std::to_string(m.overlap);
  }
};

/// Queries and the gradient of the output, keys and values in one row, with rows to spare between sequences.
template <class S>
struct Numbers {
  Tensor<S> q, kv, d_o;
  AttentionInput<S> in;

  explicit Numbers(const Problem& p)
      : q({p.B, p.Tq, p.shape.query_channels() + 2}),
        kv({p.B, p.Tk + 4, p.shape.key_channels() + p.shape.value_channels()}),
        d_o({p.B, p.Tq, p.shape.out_channels()}) {
    testing::fill_noise(q, {1});
    testing::fill_noise(kv, {2});
    testing::fill_noise(d_o, {3});
    q.vec() *= 6;  // far from uniform attention
    in = {.shape = p.shape,
          .B = p.B,
          .Tq = p.Tq,
          .Tk = p.Tk,
          .q = q.data(),
          .k = kv.data(),
          .v = kv.data() + p.shape.key_channels(),
          .q_stride = q.cols(),
          .k_stride = kv.cols(),
          .v_stride = kv.cols(),
          .kv_rows = p.Tk + 4,
          .first_position = p.first_position};
  }
};

/// What attention gives. The gradients of keys and values are added to noise.
template <class S>
struct Results {
  Tensor<S> o, log_sums, dq, dkv;

  explicit Results(const Numbers<S>& n)
      : o({n.in.B, n.in.Tq, n.in.shape.out_channels()}), log_sums({n.in.B, n.in.shape.heads, n.in.Tq}), dq(n.q), dkv(n.kv) {
    o.fill(testing::not_a_number<S>());
    dq.fill(S(0));
    testing::fill_noise(dkv, {4});
  }
  AttentionGradient<S> gradient(const AttentionInput<S>& in) {
    return {dq.data(), dkv.data(), dkv.data() + in.shape.key_channels()};
  }
};

template <class S>
Results<S> by_rows(const Context& ctx, const Numbers<S>& n) {
  Results<S> r(n);
  detail::attention_rows_forward(ctx, n.in, r.o.data(), r.log_sums.data());
  detail::attention_rows_backward(ctx, n.in, r.o.data(), r.log_sums.data(), n.d_o.data(), r.gradient(n.in));
  return r;
}
template <class S>
Results<S> by_tiles(const Context& ctx, const Numbers<S>& n) {
  Results<S> r(n);
  detail::attention_tiles_forward(ctx, n.in, r.o.data(), r.log_sums.data());
  detail::attention_tiles_backward(ctx, n.in, r.o.data(), r.log_sums.data(), n.d_o.data(), r.gradient(n.in));
  return r;
}

bool sees(const AttentionMask& m, Index p, Index j) {
  if (j > p) return false;
  if (m.size == 0) return true;
  if (m.kind == MaskKind::window) return p - j < m.size;
  return j / m.size == p / m.size || p / m.size * m.size - j <= m.overlap;
}

double dot(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index d = 0; d < n; ++d) sum += a[d] * b[d];
  return sum;
}
void add(double* to, double factor, const double* from, Index n) {
  for (Index d = 0; d < n; ++d) to[d] += factor * from[d];
}

/// The definition: o_i = sum_j p_j v_j, p = softmax(scale q_i k), over the keys that query i sees; and its derivative.
Results<double> by_definition(const Numbers<double>& n) {
  const AttentionInput<double>& in = n.in;
  const AttentionShape& s = in.shape;
  const double scale = s.scale > 0 ? s.scale : 1 / std::sqrt(static_cast<double>(s.key_width));
  Results<double> r(n);
  r.o.fill(0);
  const AttentionGradient<double> d = r.gradient(in);
  std::vector<double> p(static_cast<std::size_t>(in.Tk));
  for (Index b = 0; b < in.B; ++b) {
    for (Index h = 0; h < s.heads; ++h) {
      const Index kh = h * s.kv_heads / s.heads;
      for (Index i = 0; i < in.Tq; ++i) {
        double* const o = r.o.data() + in.out(b, h, i);
        const double* const d_o = n.d_o.data() + in.out(b, h, i);
        double sum = 0;
        for (Index j = 0; j < in.Tk; ++j) {
          const bool seen = sees(s.mask, in.first_position + in.Tk - in.Tq + i, in.first_position + j);
          const double score = seen ? scale * dot(in.query(b, h, i), in.key(b, kh, j), s.key_width) : 0;
          sum += p[static_cast<std::size_t>(j)] = seen ? std::exp(score) : 0;
        }
        r.log_sums.data()[(b * s.heads + h) * in.Tq + i] = std::log(sum);
        for (Index j = 0; j < in.Tk; ++j) add(o, p[static_cast<std::size_t>(j)] /= sum, in.value(b, kh, j), s.value_width);
        const double mean_dp = dot(d_o, o, s.value_width);
        for (Index j = 0; j < in.Tk; ++j) {
          const double weight = p[static_cast<std::size_t>(j)];
          const double ds = weight * (dot(d_o, in.value(b, kh, j), s.value_width) - mean_dp) * scale;
          add(d.value(in, b, kh, j), weight, d_o, s.value_width);
          add(d.query(in, b, h, i), ds, in.key(b, kh, j), s.key_width);
          add(d.key(in, b, kh, j), ds, in.query(b, h, i), s.key_width);
        }
      }
    }
  }
  return r;
}

template <class S>
double error_of(const Results<S>& got, const Results<double>& expected) {
  return std::max({testing::relative_error(got.o, expected.o), testing::relative_error(got.log_sums, expected.log_sums),
                   testing::relative_error(got.dq, expected.dq), testing::relative_error(got.dkv, expected.dkv)});
}

double bit_error(const Results<float>& a, const Results<float>& b) {
  return std::max({testing::bit_error(a.o, b.o), testing::bit_error(a.log_sums, b.log_sums), testing::bit_error(a.dq, b.dq),
                   testing::bit_error(a.dkv, b.dkv)});
}

/// A key head for each head, for two, for all; with values wider than keys, or keys wider than values.
std::vector<AttentionShape> shapes() {
  return {{.heads = 3, .kv_heads = 3, .key_width = 5, .value_width = 5},
          {.heads = 4, .kv_heads = 2, .key_width = 6, .value_width = 6},
          {.heads = 3, .kv_heads = 1, .key_width = 4, .value_width = 9},
          {.heads = 2, .kv_heads = 2, .key_width = 7, .value_width = 3, .scale = 0.2},
          {.heads = 4, .kv_heads = 2, .key_width = 3, .value_width = 8, .scale = 0.7}};
}

std::vector<AttentionMask> masks() {
  std::vector<AttentionMask> all{{}};
  for (const Index size : {Index{1}, Index{3}, kKeyTile, kKeyTile + 2, kQueryTile + 44}) all.push_back({.size = size});
  all.push_back({.kind = MaskKind::chunk, .size = kKeyTile});
  for (const Index size : {Index{4}, kKeyTile - 28, kQueryTile + 3})
    for (const Index overlap : {Index{0}, Index{3}, size + 2})
      all.push_back({.kind = MaskKind::chunk, .size = size, .overlap = overlap});
  return all;
}

/// Every mask at every length; shapes and first positions take turns.
std::vector<Problem> problems() {
  std::vector<Problem> all;
  std::size_t turn = 0;
  for (const Index Tk : {Index{1}, Index{9}, Index{16}, Index{17}, kDiagonalStep + 1, kKeyTile - 1, kKeyTile, kKeyTile + 1,
                         2 * kKeyTile + 4, 2 * kQueryTile + 3}) {
    for (const Index Tq : {Index{1}, Index{4}, Index{5}, Tk / 2 + 1, Tk}) {
      if (Tq > Tk) continue;
      for (const AttentionMask& mask : masks()) {
        AttentionShape shape = shapes()[turn % shapes().size()];
        shape.mask = mask;
        all.push_back({.shape = shape, .Tq = Tq, .Tk = Tk, .first_position = turn % 3 == 0 ? 37 : 0});
        ++turn;
      }
    }
  }
  return all;
}

TEST(Attention, BothFormsMatchTheDefinition) {
  Workspace workspace(2);
  const Context ctx(workspace);
  for (const Problem& p : problems()) {
    const Numbers<double> n(p);
    const Results<double> expected = by_definition(n);
    EXPECT_LT(error_of(by_rows(ctx, n), expected), 1e-13) << "rows: " << p.name();
    EXPECT_LT(error_of(by_tiles(ctx, n), expected), 1e-13) << "tiles: " << p.name();
  }
}

TEST(Attention, FloatMatchesTheDefinition) {
  // Long enough for the kernels that pack both operands, with queries that begin where those may begin, and where not.
  Workspace workspace(2);
  for (const auto& [Tq, Tk] :
       {std::pair<Index, Index>{2 * kQueryTile + 8, 2 * kQueryTile + 8}, {604, 700}, {300, 641}, {70, 600}, {17, 20}}) {
    for (const AttentionMask& mask : {AttentionMask{}, AttentionMask{.size = kKeyTile + 2},
                                      AttentionMask{.kind = MaskKind::chunk, .size = kKeyTile - 28, .overlap = 30}}) {
      for (AttentionShape shape : {AttentionShape{.heads = 2, .kv_heads = 2, .key_width = 40, .value_width = 40},
                                   AttentionShape{.heads = 2, .kv_heads = 1, .key_width = 5, .value_width = 24},
                                   AttentionShape{.heads = 4, .kv_heads = 2, .key_width = 33, .value_width = 7}}) {
        shape.mask = mask;
        const Problem p{.shape = shape, .B = 1, .Tq = Tq, .Tk = Tk};
        const Results<double> expected = by_definition(Numbers<double>(p));
        const Numbers<float> n(p);
        for (const Context& ctx : {Context(workspace), Context(workspace).as_batch_invariant()}) {
          EXPECT_LT(error_of(by_rows(ctx, n), expected), 5e-6) << "rows: " << p.name();
          EXPECT_LT(error_of(by_tiles(ctx, n), expected), 5e-6)
              << "tiles: " << p.name() << (ctx.batch_invariant ? ", batch-invariant" : "");
        }
      }
    }
  }
}

TEST(Attention, BitsDoNotDependOnThreads) {
  // With one thread a task of forward is a whole head of keys, with more a tile of queries.
  Workspace one(1);
  for (const Index T : {Index{9}, 2 * kQueryTile + 3}) {
    for (std::size_t i = 0; AttentionShape shape : shapes()) {
      const Index size = i++ % 2 == 0 ? kKeyTile + 2 : 6;  // by rows, a short chunk is cut into blocks of queries
      shape.mask = {.kind = MaskKind::chunk, .size = size, .overlap = 5};
      const Numbers<float> n({.shape = shape, .B = 4, .Tq = T, .Tk = T});
      const Results<float> rows = by_rows(Context(one), n), tiles = by_tiles(Context(one), n);
      for (const int threads : {2, 3, 7}) {
        Workspace several(threads);
        EXPECT_EQ(bit_error(by_rows(Context(several), n), rows), 0) << threads << " threads, rows";
        EXPECT_EQ(bit_error(by_tiles(Context(several), n), tiles), 0) << threads << " threads, tiles";
      }
    }
  }
}

TEST(Attention, LargeScoresDoNotOverflow) {
  Workspace workspace(1);
  const Context ctx(workspace);
  const Problem p{.Tq = kDiagonalStep + 6, .Tk = kDiagonalStep + 6};
  Numbers<double> n(p);
  n.q.vec() *= 1e4;
  Results<double> rows(n), either(n);
  attention_forward<double>(ctx, n.in, either.o.data(), nullptr);
  detail::attention_rows_forward<double>(ctx, n.in, rows.o.data(), nullptr);
  EXPECT_LT(testing::relative_error(either.o, rows.o), 1e-9);
}

}  // namespace
}  // namespace megalith
