// SPDX-License-Identifier: Apache-2.0
// A sequence read in pieces, chained through the State, is the sequence read whole.
#pragma once

#include <vector>

#include "megalith/testing/sample.h"

namespace megalith::testing {

/// Cuts the sequence before the rows in `cuts` (ascending, in (0, T)). Forward of the pieces in order and backward in
/// reverse order, their gradients summed, against the whole.
template <class S = double, Maker F>
Finding check_chunks(const F& make, const Trial& trial, const std::vector<Index>& cuts) {
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T;
  const Outcome<M> whole = run(ctx, s, {s.module, B, T});

  Outcome<M> joined{whole.y, whole.dx, s.module, {s.module, B, T}, {}};
  set_zero(joined.grad);
  std::vector<Index> edges{0};
  edges.insert(edges.end(), cuts.begin(), cuts.end());
  edges.push_back(T);
  std::vector<typename M::Tape> tapes;
  const auto each_piece = [&](std::size_t i, auto&& f) {
    const Index begin = edges[i], count = edges[i + 1] - edges[i];
    f(ctx.from_position(begin), begin, count, rows_of(s.x, begin, count));
  };
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    each_piece(i, [&](const Context& here, Index begin, Index count, const Tensor<S>& x) {
      tapes.emplace_back(s.module, Shape{B, count});
      Tensor<S> y({B, count, s.module.out_channels()});
      y.fill(not_a_number<S>());
      s.module.forward(here, view(x), view(y), joined.left, tapes.back());
      put_rows(y, begin, joined.y);
    });
  }
  joined.dstate = zero_gradient(joined.left);
  for (std::size_t i = tapes.size(); i-- > 0;) {
    each_piece(i, [&](const Context& here, Index begin, Index count, const Tensor<S>& x) {
      const Tensor<S> dy = rows_of(s.dy, begin, count);
      Tensor<S> dx = x;
      dx.fill(not_a_number<S>());
      s.module.backward(here, view(x), view(dy), view(dx), joined.grad, joined.dstate, tapes[i]);
      put_rows(dx, begin, joined.dx);
    });
  }
  return compare(joined, whole, kRelative);
}

/// Every single cut of a short sequence (of a long one, some), two cuts, and one row at a time.
template <class S = double, Maker F>
Finding check_chunks(const F& make, const Trial& trial) {
  const Index T = trial.shape.T;
  Finding found;
  const auto test = [&](const std::vector<Index>& cuts) {
    std::string name = "cut at ";
    for (const Index c : cuts) name += std::to_string(c) + " ";
    found.add(check_chunks<S>(make, trial, cuts), name + ": ");
  };
  for (Index cut = 1; cut < T; cut += 1 + T / 12) test({cut});
  if (T > 1) test({T - 1});
  if (T > 2) test({T / 3 + 1, T - 1});
  std::vector<Index> all;
  for (Index t = 1; t < T; ++t) all.push_back(t);
  if (T > 1 && T <= 40) test(all);
  return found;
}

/// step against forward: one row at a time; and as a generation does it, a prompt of many rows, then single ones, then many
/// again. Each piece is read twice, once with a copy of the state and other rows: a copy branches the sequence. The State
/// serves all of these in turn: reset() makes it fresh.
template <class S = double, Maker F>
Finding check_steps(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T;
  const Outcome<M> whole = run(ctx, s, {s.module, B, T});
  Finding found;
  typename M::State state(s.module, B, T);
  const auto test = [&](const std::string& name, Index prompt, Index last) {
    state.reset();
    Tensor<S> y = whole.y;
    y.fill(not_a_number<S>());
    for (Index t = 0; t < T;) {
      const Index count = t == 0 && prompt > 0 ? prompt : t >= T - last ? T - t : 1;
      const Tensor<S> x = rows_of(s.x, t, count);
      Tensor<S> piece({B, count, s.module.out_channels()}), other = x;
      fill_noise(other, RandomKey{trial.seed}.child(12));
      typename M::State branch = state;
      s.module.step(ctx.from_position(t), view(std::as_const(other)), view(piece), branch);
      piece.fill(not_a_number<S>());
      s.module.step(ctx.from_position(t), view(x), view(piece), state);
      put_rows(piece, t, y);
      t += count;
    }
    found.add(relative_error(y, whole.y), name);
  };
  test("y, all in one step", T, 0);
  test("y, one row at a time", 0, 0);
  if (T > 2) test("y, prompt and single rows", (T + 1) / 2, 0);
  if (T > 2) test("y, prompt, single rows, many rows", T / 4 + 1, T / 3);
  return found;
}

/// A closed State gives what a fresh open one gives.
template <class S = double, Maker F>
Finding check_closed_state(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T;
  return compare(run(ctx, s, {s.module, B}), run(ctx, s, {s.module, B, T}), kRelative);
}

/// The sequences of a batch one by one, as micro-batches with dropout, against the batch.
template <class S = double, Maker F>
Finding check_batch_parts(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T;
  const Outcome<M> whole = run(ctx, s, {s.module, B});
  Outcome<M> joined = whole;
  set_zero(joined.grad);
  for (Index b = 0; b < B; ++b) {
    const Context here = ctx.from_sequence(b);
    typename M::State state(s.module, 1);
    typename M::Tape tape(s.module, {1, T});
    s.module.forward(here, view(s.x).sequences(b, 1), view(joined.y).sequences(b, 1), state, tape);
    s.module.backward(here, view(s.x).sequences(b, 1), view(s.dy).sequences(b, 1), view(joined.dx).sequences(b, 1),
                      joined.grad, state, tape);
  }
  return compare(joined, whole, kRelative);
}

}  // namespace megalith::testing
