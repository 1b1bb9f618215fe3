// SPDX-License-Identifier: Apache-2.0
// A decoder read in pieces or generated from has the losses of one forward over everything; and no loss sees later bytes.
#pragma once

#include "megalith/testing/decoder_check.h"

namespace megalith::testing {

/// score() gives the losses of train() up to rounding: in one piece, and in pieces of whole units chained through State.
template <class S = double, class F>
Finding check_decoder_score(const F& make, Trial trial) {
  trial.mode = Mode::infer;
  const auto m = draw_decoder<S>(make, trial);
  using M = std::remove_const_t<decltype(m)>;
  const auto [B, T] = trial.shape;
  const auto bytes = draw_bytes(B * T, RandomKey{trial.seed}.child(1));
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const DecoderOutcome<M> whole = run_decoder(ctx, m, bytes, trial.shape, {});
  Finding found;
  Tensor<S> losses({B, T});
  typename M::State closed(m, B);
  m.score(ctx, {bytes.data(), B, T}, {}, losses.data(), closed);
  found.add(relative_error(losses, whole.losses), "score");
  for (Index cut = m.patch_size(); cut < T; cut += m.patch_size()) {
    typename M::State state(m, B, T);
    for (const auto& [begin, count] : {std::pair<Index, Index>{0, cut}, {cut, T - cut}}) {
      const auto piece = columns_of(bytes, trial.shape, begin, count);
      Tensor<S> part({B, count});
      m.score(ctx, {piece.data(), B, count}, {}, part.data(), state);
      for (Index b = 0; b < B; ++b) std::copy_n(part.data() + b * count, count, losses.data() + b * T + begin);
    }
    found.add(relative_error(losses, whole.losses), "score cut at " + std::to_string(cut));
  }
  return found;
}

/// A sequence cut at `cut`, a multiple of the unit: train() of the pieces, chained forward through State and backward
/// through dstate, against the whole.
template <class S = double, class F>
Finding check_decoder_chunks(const F& make, const Trial& trial, Index cut) {
  const auto m = draw_decoder<S>(make, trial);
  using M = std::remove_const_t<decltype(m)>;
  const auto [B, T] = trial.shape;
  const auto bytes = draw_bytes(B * T, RandomKey{trial.seed}.child(1));
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const DecoderOutcome<M> whole = run_decoder(ctx, m, bytes, trial.shape, {});
  const auto head = columns_of(bytes, trial.shape, 0, cut), tail = columns_of(bytes, trial.shape, cut, T - cut);

  DecoderOutcome<M> joined{whole.losses, {}, m};
  set_zero(joined.grad);
  Tensor<S> head_losses({B, cut}), tail_losses({B, T - cut});
  typename M::State middle(m, B, T);
  m.score(ctx, {head.data(), B, cut}, {}, head_losses.data(), middle);
  typename M::State start(m, B, T), end = middle, dstate(m, B, T);
  typename M::Tape head_tape(m, {B, cut}), tail_tape(m, {B, T - cut});
  m.train(ctx.from_position(cut), {tail.data(), B, T - cut}, {}, {}, S(kLossScale), tail_losses.data(), joined.grad, end,
          dstate, tail_tape);
  m.train(ctx, {head.data(), B, cut}, {}, {}, S(kLossScale), head_losses.data(), joined.grad, start, dstate, head_tape);
  for (Index b = 0; b < B; ++b) {
    std::copy_n(head_losses.data() + b * cut, cut, joined.losses.data() + b * T);
    std::copy_n(tail_losses.data() + b * (T - cut), T - cut, joined.losses.data() + b * T + cut);
  }
  return compare_decoders(joined, whole, kRelative);
}

/// Generation against score(): a prompt of every length read at once, then byte by byte, then more read at once.
template <class S = double, class F>
Finding check_decoder_steps(const F& make, Trial trial) {
  trial.mode = Mode::infer;
  const auto m = draw_decoder<S>(make, trial);
  using M = std::remove_const_t<decltype(m)>;
  const auto [B, T] = trial.shape;
  const auto bytes = draw_bytes(B * T, RandomKey{trial.seed}.child(1));
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  Tensor<S> expected({B, T}), logits({B, 1, kByteValues});
  typename M::State closed(m, B);
  m.score(ctx, {bytes.data(), B, T}, {}, expected.data(), closed);
  Finding found;
  for (Index prompt = 0; prompt < T; ++prompt) {
    for (const Index jump : {Index(0), 1 + prompt % 5}) {  // bytes read at once in the middle
      typename M::State state(m, B, T);
      Tensor<S> losses = expected;
      const auto read = [&, B = B](Index begin, Index count) {
        const auto piece = columns_of(bytes, trial.shape, begin, count);
        m.read(ctx, {piece.data(), B, count}, {}, state);
      };
      read(0, prompt);
      for (Index t = prompt; t < T; ++t) {
        if (t == prompt + 2 && t + jump < T) {
          read(t, jump);
          t += jump;
        }
        logits.fill(not_a_number<S>());
        m.next(ctx, {}, state, view(logits));
        for (Index b = 0; b < B; ++b) {
          const auto z = row_map(logits.row(b), kByteValues).array();
          using std::log;
          const S top = z.maxCoeff();
          losses.data()[b * T + t] = log((z - top).exp().sum()) + top - z(bytes[static_cast<std::size_t>(b * T + t)]);
        }
        const auto came = columns_of(bytes, trial.shape, t, 1);
        m.accept(came.data(), state);
      }
      found.add(relative_error(losses, expected), "prompt of " + std::to_string(prompt) + ", then " + std::to_string(jump));
    }
  }
  return found;
}

/// Changes byte t, for every t: losses of the bytes before it stay the same to the bit, its own changes, and so does every
/// later one whose context reaches it. `reach` gives the number of following losses that must change (0: none is asked for).
template <class S = float, class F>
Finding check_decoder_causality(const F& make, Trial trial, Index reach) {
  trial.mode = Mode::infer;
  const auto m = draw_decoder<S>(make, trial);
  using M = std::remove_const_t<decltype(m)>;
  const auto [B, T] = trial.shape;
  auto bytes = draw_bytes(B * T, RandomKey{trial.seed}.child(1));
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const auto score = [&, B = B, T = T] {
    Tensor<S> losses({B, T});
    typename M::State state(m, B);
    m.score(ctx, {bytes.data(), B, T}, {}, losses.data(), state);
    return losses;
  };
  const Tensor<S> before = score();
  Finding found;
  for (Index t = 0; t < T; ++t) {
    auto& byte = bytes[static_cast<std::size_t>((B - 1) * T + t)];
    byte = static_cast<std::uint8_t>(byte ^ 0x55);
    const Tensor<S> after = score();
    byte = static_cast<std::uint8_t>(byte ^ 0x55);
    for (Index i = 0; i < B * T; ++i) {
      const bool same = std::memcmp(&after.data()[i], &before.data()[i], sizeof(S)) == 0;
      const Index later = i - ((B - 1) * T + t);
      if (later < 0 && !same) found.add(1, "byte " + std::to_string(t) + " leaks to " + std::to_string(i - (B - 1) * T));
      if (later >= 0 && later <= reach && same)
        found.add(1, "byte " + std::to_string(t) + " does not reach " + std::to_string(t + later));
    }
  }
  return found;
}

}  // namespace megalith::testing
