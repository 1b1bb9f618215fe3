// SPDX-License-Identifier: Apache-2.0
// One forward, for tests that compare with values worked out by hand.
#pragma once

#include <vector>

#include "megalith/testing/sample.h"

namespace megalith::tests {

/// A tensor of these sizes with these numbers.
template <class S = double>
Tensor<S> tensor(std::initializer_list<Index> dims, const std::vector<S>& numbers) {
  Tensor<S> t(dims);
  std::copy(numbers.begin(), numbers.end(), t.data());
  return t;
}

template <class S = double>
Tensor<S> noise(std::initializer_list<Index> dims, std::uint64_t seed = 1) {
  Tensor<S> t(dims);
  testing::fill_noise(t, {seed});
  return t;
}

/// y of x (B,T,C), nothing having come before.
template <class M, class S = typename M::Scalar>
Tensor<S> forward(const M& m, const Tensor<S>& x, Mode mode = Mode::infer, Index first_position = 0) {
  Workspace workspace(2);
  Context ctx(workspace);
  ctx.mode = mode;
  ctx.key = {5};
  ctx.first_position = first_position;
  const Shape shape = testing::view(x).shape();
  typename M::State state(m, shape.B);
  typename M::Tape tape(m, shape);
  Tensor<S> y({shape.B, shape.T, m.out_channels()});
  y.fill(std::numeric_limits<S>::quiet_NaN());
  m.forward(ctx, testing::view(x), testing::view(y), state, tape);
  return y;
}

/// The names that a visit gives, in order.
template <class M>
std::vector<std::string> parameter_names(const M& m) {
  std::vector<std::string> names;
  for_each_parameter(m, [&](const Name& name, const auto&) { names.push_back(name.str()); });
  return names;
}

}  // namespace megalith::tests
