// SPDX-License-Identifier: Apache-2.0
// For the few modules whose backward may write dx over dy.
#pragma once

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {

/// dx and the gradient of an M over `channels` are the same bits whether dx has memory of its own or that of dy.
template <class M, class S = typename M::Scalar>
void backward_in_place(Index channels = 20) {
  const M m(channels);
  const Tensor<S> x = noise<S>({2, 70, channels}), dy = noise<S>({2, 70, channels}, 2);
  Workspace workspace(2);
  const Context ctx(workspace);
  typename M::State state(m, 2);
  typename M::Tape tape(m, {2, 70});
  Tensor<S> y({2, 70, channels}), apart({2, 70, channels}), over = dy;
  m.forward(ctx, testing::view(x), testing::view(y), state, tape);
  M grad_apart = m, grad_over = m;
  m.backward(ctx, testing::view(x), testing::view(dy), testing::view(apart), grad_apart, state, tape);
  m.backward(ctx, testing::view(x), testing::view(over), testing::view(over), grad_over, state, tape);
  EXPECT_EQ(testing::bit_error(over, apart), 0);
  EXPECT_EQ(testing::bit_error(grad_over.gain, grad_apart.gain), 0);
}

}  // namespace megalith::tests
