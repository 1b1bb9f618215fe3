// SPDX-License-Identifier: Apache-2.0
// MEGA's block against values that its authors' own code gave (README.md): outputs, gradients, the state, and one position
// after the other.
#include <gtest/gtest.h>

#include "golden/golden_values.h"
#include "megalith/nn/mega_block.h"
#include "megalith/testing/sample.h"

namespace megalith::tests {
namespace {

struct Settings {
  std::string file;
  Index width;
  MegaConfig block;
  double rounded = 0;  // by how much constants that the authors' code rounds move the values, over the largest
};

using testing::view;

/// Calls f(their name, numbers of ours in the order of theirs) for each of their parameters, or of their gradients, where
/// "numbers" are pointers.
template <class S, class F>
void for_each_of_theirs(MegaBlock<S>& m, Index chunk, F&& f) {
  MegaAttention<S>& a = m.attention;
  const auto whole = [](Tensor<S>& t) {
    std::vector<S*> at;
    for (Index i = 0; i < t.size(); ++i) at.push_back(t.data() + i);
    return at;
  };
  const auto turned = [](Tensor<S>& t) {  // their weights are (outputs, inputs)
    std::vector<S*> at;
    for (Index j = 0; j < t.cols(); ++j)
      for (Index i = 0; i < t.rows(); ++i) at.push_back(t.row(i) + j);
    return at;
  };
  const std::string half = "mega_layer.", rest = "nffn.";
  f(half + "norm.norm.weight", whole(a.norm.layer.gain));
  f(half + "norm.norm.bias", whole(a.norm.layer.bias));
  f(half + "gamma", whole(a.heads.gain));
  f(half + "beta", whole(a.heads.bias));
  f(half + "move.delta", whole(a.average.alpha));  // their names of the two are the other way round
  f(half + "move.alpha", whole(a.average.delta));
  f(half + "move.beta", whole(a.average.beta));
  f(half + "move.gamma", whole(a.average.gamma));
  f(half + "move.omega", whole(a.average.omega));
  f(half + "v_proj.weight", turned(a.values.weight));
  f(half + "v_proj.bias", whole(a.values.bias));
  f(half + "mx_proj.weight", turned(a.projection.weight));
  f(half + "mx_proj.bias", whole(a.projection.bias));
  f(half + "h_proj.weight", turned(a.out.weight));
  if (a.relative_bias.kind == RelativeBiasKind::rotary) {
    f(half + "rel_pos_bias.alpha", whole(a.relative_bias.alpha));
    f(half + "rel_pos_bias.beta", whole(a.relative_bias.beta));
  } else {
    // Theirs has 2 chunk - 1 numbers, of the keys that come later too: entry chunk - 1 - distance.
    std::vector<S*> at(static_cast<std::size_t>(2 * chunk - 1), nullptr);
    for (Index d = 0; d < chunk; ++d) at[static_cast<std::size_t>(chunk - 1 - d)] = a.relative_bias.table.data() + d;
    f(half + "rel_pos_bias.rel_pos_bias", at);
  }
  f(rest + "norm.norm.weight", whole(m.norm.layer.gain));
  f(rest + "norm.norm.bias", whole(m.norm.layer.bias));
  f(rest + "fc1.weight", turned(m.feed_forward.up.weight));
  f(rest + "fc1.bias", whole(m.feed_forward.up.bias));
  f(rest + "fc2.weight", turned(m.feed_forward.down.weight));
  f(rest + "fc2.bias", whole(m.feed_forward.down.bias));
}

template <class S>
void expect_near(const std::string& what, std::span<const S> got, const std::vector<double>& want, double rounded) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got[i])) << what << ", number " << i;
    difference = std::max(difference, std::abs(static_cast<double>(got[i]) - want[i]));
    largest = std::max(largest, std::abs(want[i]));
  }
  EXPECT_LE(difference, (kTolerance<S> + rounded) * largest) << what << ", of largest value " << largest;
}

template <class S>
void check_against_authors(const Settings& c) {
  const SafetensorsReader file(std::string(MEGALITH_TEST_DATA) + "/" + c.file + ".safetensors");
  MegaBlock<S> m({.width = c.width, .block = c.block});
  const Index B = file.info("x").shape.at(0), T = file.info("x").shape.at(1), D = c.width, chunk = c.block.chunk;
  const auto numbers = [&](const std::string& name) { return numbers_of(file, name); };
  const auto filled = [&](const std::string& name) {
    const std::vector<double> values = numbers(name);
    Tensor<S> t({B, T, D});
    std::transform(values.begin(), values.end(), t.data(), [](double v) { return S(v); });
    return t;
  };
  for_each_of_theirs(m, chunk, [&](const std::string& name, const std::vector<S*>& at) {
    const std::vector<double> values = numbers("param." + name);
    ASSERT_EQ(at.size(), values.size()) << name;
    for (std::size_t i = 0; i < at.size(); ++i)
      if (at[i] != nullptr) *at[i] = S(values[i]);
  });
  // The bias of their h_proj is a second one of the candidate.
  const std::vector<double> second = numbers("param.mega_layer.h_proj.bias");
  S* const candidate = m.attention.projection.bias.data() + m.attention.projection.out_channels() - D;
  for (Index i = 0; i < D; ++i) candidate[i] += S(second[static_cast<std::size_t>(i)]);

  Workspace workspace(2);
  const Context ctx(workspace);
  const Tensor<S> x = filled("x"), dy = filled("dy");
  Tensor<S> y = x, dx = x;
  MegaBlock<S> grad = m;
  set_zero(grad);
  typename MegaBlock<S>::State state(m, B, T), dstate(m, B, T);
  typename MegaBlock<S>::Tape tape(m, {B, T});
  m.forward(ctx, view(x), view(y), state, tape);
  const auto expect = [&](const std::string& what, std::span<const S> got) {
    expect_near(what, got, numbers(what), c.rounded);
  };
  expect("y", y.span());
  expect("layer", tape.between.span());
  {  // h = p beta s
    std::vector<S> h;
    const RealEma<S>& average = m.attention.average;
    for (Index b = 0; b < B; ++b)
      for (Index d = 0; d < D; ++d)
        for (Index n = 0; n < average.states(); ++n)
          h.push_back(state.average.s.data()[(b * average.states() + n) * D + d] * S(logistic(average.alpha.row(d)[n])) *
                      average.beta.row(d)[n]);
    expect("state.h", h);
  }
  const Index kept = T % chunk;
  ASSERT_EQ(state.core.kept, kept);
  if (kept > 0) {
    std::vector<S> keys, values;
    for (Index b = 0; b < B; ++b)
      for (Index j = 0; j < kept; ++j) {
        const S *const row = state.core.row(b, j), *const value = row + m.attention.core.shape.key_width;
        keys.insert(keys.end(), row, value);
        values.insert(values.end(), value, value + m.attention.core.shape.value_width);
      }
    expect("state.k", keys);
    expect("state.v", values);
  }

  m.backward(ctx, view(x), view(dy), view(dx), grad, dstate, tape);
  expect("grad.x", dx.span());
  for_each_of_theirs(grad, chunk, [&](const std::string& name, const std::vector<S*>& at) {
    std::vector<S> got;
    for (const S* p : at) got.push_back(p == nullptr ? S(0) : *p);
    expect("grad." + name, got);
  });
  const S* const of_candidate = grad.attention.projection.bias.data() + m.attention.projection.out_channels() - D;
  expect("grad.mega_layer.h_proj.bias", {of_candidate, static_cast<std::size_t>(D)});

  state.reset();
  Tensor<S> steps({B, T, D});
  for (Index t = 0; t < T; ++t) {
    const Tensor<S> row = testing::rows_of(x, t, 1);
    Tensor<S> out({B, 1, D});
    m.step(ctx, view(row), view(out), state);
    for (Index b = 0; b < B; ++b) std::copy_n(out.row(b), D, steps.row(b * T + t));
  }
  expect("y", steps.span());
}

const Settings kRotary{
    "mega_softmax_rotary", 16, {.qk_width = 8, .value_width = 24, .hidden = 20, .chunk = 16, .states = 4}};
// They round Laplace's constants to six digits.
const Settings kLaplace{"mega_laplace_simple_norms_last",
                        12,
                        {.qk_width = 6,
                         .value_width = 16,
                         .hidden = 16,
                         .chunk = 16,
                         .states = 16,
                         .attention = AttentionFunction::laplace,
                         .relative_bias = RelativeBiasKind::simple,
                         .pre_norm = false},
                        2e-6};

TEST(MegaGolden, SoftmaxWithRotaryBias) {
  check_against_authors<double>(kRotary);
  check_against_authors<float>(kRotary);
}

TEST(MegaGolden, LaplaceWithSimpleBiasAndNormsLast) {
  check_against_authors<double>(kLaplace);
  check_against_authors<float>(kLaplace);
}

}  // namespace
}  // namespace megalith::tests
