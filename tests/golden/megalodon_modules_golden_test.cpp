// SPDX-License-Identifier: Apache-2.0
// Modules of MEGALODON against values that its authors' own code gave (README.md), with a state that comes in and gradients
// that come in through the state that goes out.
#include <gtest/gtest.h>

#include "golden/golden_values.h"
#include "megalith/nn/complex_ema.h"
#include "megalith/nn/timestep_norm.h"
#include "megalith/testing/sample.h"

namespace megalith::tests {
namespace {

template <class S>
struct MegalodonModules : ::testing::Test {
  const SafetensorsReader file{std::string(MEGALITH_TEST_DATA) + "/megalodon_modules.safetensors"};
  Workspace workspace{2};
  const Context ctx{workspace};

  std::vector<double> numbers(const std::string& name) const { return numbers_of(file, name); }
  void fill(Tensor<S>& t, const std::string& name) const {
    const std::vector<double> values = numbers(name);
    ASSERT_EQ(static_cast<std::size_t>(t.size()), values.size()) << name;
    std::transform(values.begin(), values.end(), t.data(), [](double v) { return S(v); });
  }
  void expect(const std::string& name, const Tensor<S>& got) const { expect_close<S>(name, got.span(), numbers(name)); }
  Tensor<S> activations(const std::string& name) const {
    const auto& shape = file.info(name).shape;
    Tensor<S> t({shape.at(0), shape.at(1), shape.at(2)});
    fill(t, name);
    return t;
  }
};
using testing::view;

using Scalars = ::testing::Types<double, float>;
TYPED_TEST_SUITE(MegalodonModules, Scalars);

// The sequences have seen different numbers of positions, and a State counts for all of its own: so each goes alone.
TYPED_TEST(MegalodonModules, TimestepNorm) {
  using S = TypeParam;
  Tensor<S> x = this->activations("timestep_norm.x"), dy = this->activations("timestep_norm.dy"), y = x, dx = x;
  const Index B = x.dims()[0], T = x.dims()[1], C = x.dims()[2], G = 3;
  TimestepNorm<S> m(C, G), grad = m;
  set_zero(grad);
  this->fill(m.gain, "timestep_norm.weight");
  m.gain.vec().array() += S(1);  // gains are 1 + weight there
  this->fill(m.bias, "timestep_norm.bias");
  Tensor<S> mean({B, G}), var({B, G}), d_mean({B, G}), d_var({B, G});
  this->fill(mean, "timestep_norm.before.mean");
  this->fill(var, "timestep_norm.before.var");
  this->fill(d_mean, "timestep_norm.dafter.mean");
  this->fill(d_var, "timestep_norm.dafter.var");
  std::vector<std::int64_t> before(static_cast<std::size_t>(B)), after = before;
  this->file.read("timestep_norm.before.count", std::span(before));
  this->file.read("timestep_norm.after.count", std::span(after));

  for (Index b = 0; b < B; ++b) {
    const auto row = [&](Tensor<S>& all) { return row_map(all.row(b), G); };
    const auto sequence = [&](Tensor<S>& all) { return view(all).sequences(b, 1); };
    typename TimestepNorm<S>::State state(m, 1, T), dstate(m, 1, T);
    state.mean.vec() = row(mean);
    state.var.vec() = row(var);
    state.count = before[static_cast<std::size_t>(b)];
    dstate.mean.vec() = row(d_mean);
    dstate.var.vec() = row(d_var);
    typename TimestepNorm<S>::Tape tape(m, {1, T});
    m.forward(this->ctx, sequence(x), sequence(y), state, tape);
    m.backward(this->ctx, sequence(x), sequence(dy), sequence(dx), grad, dstate, tape);
    EXPECT_EQ(state.count, after[static_cast<std::size_t>(b)]);
    row(mean) = state.mean.vec();
    row(var) = state.var.vec();
    row(d_mean) = dstate.mean.vec();
    row(d_var) = dstate.var.vec();
  }
  this->expect("timestep_norm.y", y);
  this->expect("timestep_norm.after.mean", mean);
  this->expect("timestep_norm.after.var", var);
  this->expect("timestep_norm.grad.x", dx);
  this->expect("timestep_norm.grad.before.mean", d_mean);
  this->expect("timestep_norm.grad.before.var", d_var);
  this->expect("timestep_norm.grad.weight", grad.gain);
  this->expect("timestep_norm.grad.bias", grad.bias);
}

TYPED_TEST(MegalodonModules, ComplexEma) {
  using S = TypeParam;
  Tensor<S> x = this->activations("cema.x"), dy = this->activations("cema.dy"), y = x, dx = x;
  const Index B = x.dims()[0], T = x.dims()[1], D = x.dims()[2], N = 4;
  ComplexEma<S> m(D, N), grad = m;
  set_zero(grad);
  const auto with = [](ComplexEma<S>& of, auto&& f) {
    ComplexEma<S>::visit(
        Name{}, [&](const Name& name, Tensor<S>& t) { f(name.str(), t); }, of);
  };
  with(m, [&](const std::string& name, Tensor<S>& t) { this->fill(t, "cema." + name); });

  // Their state is h = p s, (B, D, N, 2).
  const auto p = [&](Index d, Index n) { return logistic(m.alpha.row(d)[n]); };
  const auto for_each_number = [&](auto&& f) {  // f(number of theirs, of ours, d, n)
    for (Index b = 0; b < B; ++b)
      for (Index d = 0; d < D; ++d)
        for (Index n = 0; n < N; ++n)
          for (Index part = 0; part < 2; ++part)
            f(static_cast<std::size_t>(((b * D + d) * N + n) * 2 + part), (b * 2 * N + n * 2 + part) * D + d, d, n);
  };
  typename ComplexEma<S>::State state(m, B, T), dstate(m, B, T);
  const std::vector<double> before = this->numbers("cema.before.h"), d_after = this->numbers("cema.dafter.h");
  for_each_number([&](std::size_t theirs, Index ours, Index d, Index n) {
    state.s.data()[ours] = S(before[theirs] / p(d, n));
    dstate.s.data()[ours] = S(d_after[theirs] * p(d, n));
  });

  typename ComplexEma<S>::Tape tape(m, {B, T});
  m.forward(this->ctx, view(x), view(y), state, tape);
  m.backward(this->ctx, view(x), view(dy), view(dx), grad, dstate, tape);
  this->expect("cema.y", y);
  this->expect("cema.grad.x", dx);
  std::vector<S> h(before.size()), d_before(before.size());
  for_each_number([&](std::size_t theirs, Index ours, Index d, Index n) {
    h[theirs] = S(state.s.data()[ours] * p(d, n));
    d_before[theirs] = S(dstate.s.data()[ours] / p(d, n));
    // With h given and h left, alpha has a part in how s follows from the one and the other from s.
    const double turned = d_after[theirs] * state.s.data()[ours] - d_before[theirs] * before[theirs] / p(d, n);
    grad.alpha.row(d)[n] += S(turned * p(d, n) * (1 - p(d, n)));
  });
  expect_close<S>("cema.after.h", h, this->numbers("cema.after.h"));
  expect_close<S>("cema.grad.before.h", d_before, this->numbers("cema.grad.before.h"));
  with(grad, [&](const std::string& name, Tensor<S>& t) { this->expect("cema.grad." + name, t); });
}

}  // namespace
}  // namespace megalith::tests
