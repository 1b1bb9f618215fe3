// SPDX-License-Identifier: Apache-2.0
// Attention in chunks with biases and with weights that are no softmax, by rows and in tiles, against plain loops over all
// pairs.
#include "megalith/kernels/biased_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "support/forward.h"

namespace megalith::tests {
namespace {

using detail::kChunkQueries, detail::kKeyTile;

struct Problem {
  AttentionFunction function = AttentionFunction::softmax;
  Index chunk = 7, Tq = 20, past = 0;  // rows of keys before the first query's own
  Index first_position = 0;            // of the first key
  bool with_bias = true;
  Index B = 2, key_width = 5, value_width = 9;

  AttentionShape shape() const {
    return {.key_width = key_width, .value_width = value_width, .mask = {MaskKind::chunk, chunk, 0}};
  }
  std::string name() const {
    return "function " + std::to_string(static_cast<int>(function)) + (with_bias ? ", bias" : "") + ", chunk " +
           std::to_string(chunk) + ", " + std::to_string(Tq) + " queries after " + std::to_string(past) + " rows from " +
           std::to_string(first_position) + " on";
  }
};

/// Queries, keys, values, biases and the gradient of the output, and what comes of them.
template <class S>
struct Numbers {
  Problem p;
  Tensor<S> q, kv, d_o, bias, o, log_sums, dq, dkv, d_bias;

  explicit Numbers(const Problem& problem)
      : p(problem),
        q({p.B, p.Tq, p.key_width}),
        kv({p.B, p.past + p.Tq, p.key_width + p.value_width}),
        d_o({p.B, p.Tq, p.value_width}),
        bias({std::min(p.chunk, p.past + p.Tq)}),
        o(d_o),
        log_sums({p.B, p.Tq}),
        dq(q),
        dkv(kv),
        d_bias(bias) {
    testing::fill_noise(q, {1});
    testing::fill_noise(kv, {2});
    testing::fill_noise(d_o, {3});
    testing::fill_noise(bias, {4});
    q.vec() *= S(6);  // far from uniform attention
    for (Tensor<S>* t : {&o, &dq}) t->fill(testing::not_a_number<S>());
    for (Tensor<S>* t : {&dkv, &d_bias}) testing::fill_noise(*t, {5});  // which gradients are added to
  }
  Index keys() const { return p.past + p.Tq; }
  S* key(Index b, Index j) { return kv.row(b * keys() + j); }
  S* value(Index b, Index j) { return key(b, j) + p.key_width; }

  void by_kernel(const Context& ctx) {
    const AttentionInput<S> in{.shape = p.shape(),
                               .B = p.B,
                               .Tq = p.Tq,
                               .Tk = keys(),
                               .q = q.data(),
                               .k = kv.data(),
                               .v = kv.data() + p.key_width,
                               .q_stride = q.cols(),
                               .k_stride = kv.cols(),
                               .v_stride = kv.cols(),
                               .kv_rows = keys(),
                               .first_position = p.first_position};
    const BiasedAttention<S> attention{p.function, p.with_bias ? bias.data() : nullptr,
                                       p.with_bias ? d_bias.data() : nullptr};
    attention.forward(ctx, in, o.data(), log_sums.data());
    const AttentionGradient<S> out{dq.data(), dkv.data(), dkv.data() + p.key_width};
    attention.backward(ctx, in, o.data(), log_sums.data(), d_o.data(), out);
  }

  void plainly() {
    o.fill(S(0));
    dq.fill(S(0));
    for (Index b = 0; b < p.B; ++b)
      for (Index i = 0; i < p.Tq; ++i) {
        const Index own = p.past + i, position = p.first_position + own;
        const Index first = std::max<Index>(0, own - position % p.chunk), n = own - first + 1;
        const S tau = S(p.function == AttentionFunction::softmax ? 1 / std::sqrt(static_cast<double>(p.key_width))
                                                                 : 1 / static_cast<double>(n));
        const auto width = [](S* at, Index size) { return row_map(at, size); };
        const auto qi = width(q.row(b * p.Tq + i), p.key_width), doi = width(d_o.row(b * p.Tq + i), p.value_width);
        auto oi = width(o.row(b * p.Tq + i), p.value_width), dqi = width(dq.row(b * p.Tq + i), p.key_width);
        RowVector<S> w(n), slope(n), dw(n);
        for (Index j = 0; j < n; ++j) {
          const S x = tau * qi.dot(width(key(b, first + j), p.key_width)) + (p.with_bias ? bias.data()[n - 1 - j] : S(0));
          weigh(x, w(j), slope(j));
          dw(j) = doi.dot(width(value(b, first + j), p.value_width));
        }
        if (p.function == AttentionFunction::softmax) w /= w.sum();
        const S mean = w.dot(dw);
        for (Index j = 0; j < n; ++j) {
          oi += w(j) * width(value(b, first + j), p.value_width);
          const S dx = p.function == AttentionFunction::softmax ? w(j) * (dw(j) - mean) : slope(j) * dw(j);
          if (p.with_bias) d_bias.data()[n - 1 - j] += dx;
          dqi += tau * dx * width(key(b, first + j), p.key_width);
          S* const dk = dkv.row(b * keys() + first + j);
          width(dk, p.key_width) += tau * dx * qi;
          width(dk + p.key_width, p.value_width) += w(j) * doi;
        }
      }
  }

 private:
  void weigh(S x, S& w, S& slope) const {
    slope = S(0);
    if (p.function == AttentionFunction::softmax) w = std::exp(x);
    if (p.function == AttentionFunction::relu_squared) {
      w = x > 0 ? x * x : S(0);
      slope = x > 0 ? 2 * x : S(0);
    }
    if (p.function != AttentionFunction::laplace) return;
    const double mu = std::sqrt(0.5), sigma = std::sqrt(1 / (4 * std::numbers::pi));
    const double from_mean = (static_cast<double>(x) - mu) / sigma;
    w = S((1 + std::erf(from_mean / std::numbers::sqrt2)) / 2);
    slope = S(std::exp(-from_mean * from_mean / 2) / (sigma * std::sqrt(2 * std::numbers::pi)));
  }
};

/// The largest difference over the largest value, which may be 0.
template <class S>
double distance(const Tensor<S>& got, const Tensor<double>& want) {
  return (got.vec().template cast<double>() - want.vec()).cwiseAbs().maxCoeff() /
         std::max(want.vec().cwiseAbs().maxCoeff(), 1e-6);
}

template <class S>
void expect_plain(const Problem& p, double tolerance) {
  Workspace workspace(2);
  Numbers<S> got(p);
  got.by_kernel(Context(workspace));
  Numbers<double> want(p);
  want.plainly();
  EXPECT_LT(distance(got.o, want.o), tolerance) << p.name();
  EXPECT_LT(distance(got.dq, want.dq), tolerance) << p.name();
  EXPECT_LT(distance(got.dkv, want.dkv), tolerance) << p.name();
  EXPECT_LT(distance(got.d_bias, want.d_bias), tolerance) << p.name();
}

constexpr AttentionFunction kAll[]{AttentionFunction::softmax, AttentionFunction::laplace, AttentionFunction::relu_squared};

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const auto function : kAll)
    for (const bool with_bias : {true, false})
      for (const Problem& p : {Problem{.chunk = 1, .Tq = 3}, Problem{}, Problem{.chunk = 7, .Tq = 20, .past = 3},
                               Problem{.chunk = 7, .Tq = 20, .past = 5, .first_position = 37},
                               Problem{.chunk = 100, .Tq = 2, .past = 60, .first_position = 20},
                               Problem{.chunk = kChunkQueries, .Tq = 3 * kChunkQueries},
                               Problem{.chunk = 90, .Tq = 200, .past = 40, .first_position = 180},
                               Problem{.chunk = kKeyTile + 5, .Tq = 2 * kKeyTile, .past = 17},
                               Problem{.chunk = 4096, .Tq = 2 * kKeyTile + 1, .past = kKeyTile - 1}}) {
        all.push_back(p);
        all.back().function = function;
        all.back().with_bias = with_bias;
      }
  return all;
}

TEST(BiasedAttention, IsItsSumsInDouble) {
  for (const Problem& p : problems()) expect_plain<double>(p, 1e-12);
}

TEST(BiasedAttention, IsItsSumsInFloat) {
  for (const Problem& p : problems()) expect_plain<float>(p, 1e-5);
  // Keys enough for the kernels that pack the scores.
  for (const auto function : kAll)
    expect_plain<float>({.function = function, .chunk = 610, .Tq = 1300, .past = 75, .key_width = 40, .value_width = 70},
                        1e-5);
}

TEST(BiasedAttention, BitsDoNotDependOnThreads) {
  for (const auto function : kAll) {
    const Problem p{.function = function, .chunk = 90, .Tq = 400};
    Workspace one(1), five(5);
    Numbers<float> a(p), b(p);
    a.by_kernel(Context(one));
    b.by_kernel(Context(five));
    EXPECT_EQ(testing::bit_error(a.o, b.o), 0);
    EXPECT_EQ(testing::bit_error(a.dkv, b.dkv), 0);
    EXPECT_EQ(testing::bit_error(a.d_bias, b.d_bias), 0);
  }
}

// In float they are polynomials.
TEST(BiasedAttention, LaplaceOfEachScore) {
  const Index n = 4001;
  Tensor<float> x({n}), spare({n});
  for (Index i = 0; i < n; ++i) x.data()[i] = static_cast<float>(i - 2000) * 0.002f;
  Tensor<float> y = x;
  detail::half_one_plus_erf<float>(RowMap<const float>(x.data(), n), y.vec(), spare.data());
  for (Index i = 0; i < n; ++i) {
    const double want = std::erfc(-static_cast<double>(x.data()[i])) / 2;
    EXPECT_NEAR(y.data()[i], want, 2e-6 * want) << x.data()[i];
  }
}

// With the kernels of this processor, which pack operands.
TEST(BiasedAttention, ScratchIsWhatTheKernelsTake) {
  for (const Problem& p :
       {Problem{.chunk = 700, .Tq = 700, .key_width = 32, .value_width = 64},
        Problem{.chunk = 300, .Tq = 900, .key_width = 32, .value_width = 64}, Problem{.chunk = 8, .Tq = 800},
        Problem{.chunk = 130, .Tq = 1000, .with_bias = false, .key_width = 32, .value_width = 64}}) {
    Numbers<float> n(p);
    Workspace workspace(1);
    n.by_kernel(Context(workspace));
    const auto claimed = [&]<class S>(S, bool backward) {
      return biased_attention_scratch<S>(p.shape(), p.with_bias, p.B, p.Tq, backward, 1);
    };
    const double taken = static_cast<double>(workspace.peak() / sizeof(float));
    EXPECT_NEAR(std::max(claimed(float{}, false), claimed(float{}, true)), taken, 0.02 * taken + 100) << p.name();
    for (const bool backward : {false, true})
      EXPECT_EQ(claimed(ShapeOnly{}, backward), claimed(float{}, backward)) << p.name();
  }
}

}  // namespace
}  // namespace megalith::tests
