// SPDX-License-Identifier: Apache-2.0
// The checks of a module, for a ByteDecoder (models/byte_decoder.h): bytes go in and losses come out. `make` gives the same
// decoder for any scalar: `[]<class S>() { return Megabyte<S>(config, 0); }`. Trial::shape is (B, bytes).
#pragma once

#include <vector>

#include "megalith/testing/gradient_check.h"

namespace megalith::testing {

/// Random bytes, few of them different, so that rows of a table are used more than once.
inline std::vector<std::uint8_t> draw_bytes(Index count, RandomKey key, Index different = 11) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i)
    bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(23 * random_below(key, static_cast<std::uint64_t>(i), different) % 256);
  return bytes;
}

/// Columns [begin, begin + count) of bytes (B,T).
inline std::vector<std::uint8_t> columns_of(const std::vector<std::uint8_t>& bytes, Shape shape, Index begin, Index count) {
  std::vector<std::uint8_t> out;
  for (Index b = 0; b < shape.B; ++b) {
    const auto row = bytes.begin() + b * shape.T + begin;
    out.insert(out.end(), row, row + count);
  }
  return out;
}

/// What a run with gradient leaves.
template <class D>
struct DecoderOutcome {
  using S = typename D::Scalar;
  Tensor<S> losses, dcondition;
  D grad;
};

template <class S, class F>
auto draw_decoder(const F& make, const Trial& trial) {
  auto m = make.template operator()<S>();
  fill_parameters(m, RandomKey{trial.seed}.child(0));
  return m;
}

/// A random condition (B, T/U, width), or none.
template <class D>
Tensor<typename D::Scalar> draw_condition(const D& m, const Trial& trial, bool wanted) {
  Tensor<typename D::Scalar> condition;
  if (!wanted) return condition;
  condition = Tensor<typename D::Scalar>({trial.shape.B, trial.shape.T / m.patch_size(), m.width()});
  fill_noise(condition, RandomKey{trial.seed}.child(11));
  return condition;
}

template <class T>
auto optional_view(T& t) -> decltype(view(t)) {
  if (t.empty()) return {};
  return view(t);
}

inline constexpr double kLossScale = 0.37;

/// Forward, loss and backward of a whole batch in which nothing came before.
template <class D>
DecoderOutcome<D> run_decoder(const Context& ctx, const D& m, const std::vector<std::uint8_t>& bytes, Shape shape,
                              const Tensor<typename D::Scalar>& condition, typename D::Tape& tape) {
  using S = typename D::Scalar;
  DecoderOutcome<D> o{Tensor<S>({shape.B, shape.T}), condition, m};
  set_zero(o.grad);
  o.losses.fill(not_a_number<S>());
  if (!o.dcondition.empty()) o.dcondition.fill(not_a_number<S>());
  typename D::State state(m, shape.B), dstate(m, shape.B);
  m.train(ctx, {bytes.data(), shape.B, shape.T}, optional_view(condition), optional_view(o.dcondition), S(kLossScale),
          o.losses.data(), o.grad, state, dstate, tape);
  return o;
}
template <class D>
DecoderOutcome<D> run_decoder(const Context& ctx, const D& m, const std::vector<std::uint8_t>& bytes, Shape shape,
                              const Tensor<typename D::Scalar>& condition) {
  typename D::Tape tape(m, shape);
  return run_decoder(ctx, m, bytes, shape, condition, tape);
}

template <class A, class B, class F>
Finding compare_decoders(const DecoderOutcome<A>& a, const DecoderOutcome<B>& b, F&& measure) {
  Finding found;
  found.add(measure(a.losses, b.losses), "losses");
  if (!b.dcondition.empty()) found.add(measure(a.dcondition, b.dcondition), "dcondition");
  A::visit(
      Name{}, [&](const Name& n, const auto& p, const auto& q) { found.add(measure(p, q), "gradient " + n.str()); }, a.grad,
      b.grad);
  return found;
}

/// The adjoint test: the gradient along a random direction of each parameter, and of the condition, against dual numbers.
/// The gradient holds noise before, dcondition NaN.
template <class F>
Finding check_decoder_gradients(const F& make, const Trial& trial, bool with_condition) {
  const auto m = draw_decoder<double>(make, trial);
  using M = std::remove_const_t<decltype(m)>;
  const auto [B, T] = trial.shape;
  const RandomKey key{trial.seed};
  const auto bytes = draw_bytes(B * T, key.child(1));
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const DecoderOutcome<M> o = run_decoder(ctx, m, bytes, trial.shape, draw_condition(m, trial, with_condition));

  Finding found;
  found.add(o.losses.vec().allFinite() ? 0.0 : 1.0, "losses");
  // The same run in dual numbers, once for each input: `aim` gives it a direction and returns <gradient, direction>.
  const auto test = [&, B = B, T = T](const std::string& what, auto&& aim) {
    auto d = draw_decoder<Dual>(make, trial);
    using D = decltype(d);
    Tensor<Dual> condition = draw_condition(d, trial, with_condition);
    const double right = aim(d, condition);
    Tensor<Dual> losses({B, T});
    // Through train() itself, whose mode draws the dropout masks that the gradient is for.
    D grad = d;
    typename D::Tape tape(d, trial.shape);
    typename D::State state(d, B), dstate(d, B);
    Tensor<Dual> dcondition = condition;
    d.train(ctx, {bytes.data(), B, T}, optional_view(std::as_const(condition)), optional_view(dcondition), Dual(0),
            losses.data(), grad, state, dstate, tape);
    double left = 0, largest = 0.01;
    for (Index i = 0; i < losses.size(); ++i) {
      left += kLossScale * losses.data()[i].derivative;
      largest += kLossScale * std::abs(losses.data()[i].derivative);
    }
    found.add(std::abs(left - right) / largest, what);
  };
  if (with_condition) {
    test("condition", [&](auto&, Tensor<Dual>& condition) {
      detail::set_direction(condition, key.child(7));
      return detail::inner_product(o.dcondition, condition);
    });
  }
  Index number = 0;
  for_each_parameter(o.grad, [&](const Name& name, const Tensor<double>& g) {
    test(name.str(), [&, tested = number++](auto& d, Tensor<Dual>&) {
      double right = 0;
      Index i = 0;
      for_each_parameter(d, [&](const Name&, Tensor<Dual>& p) {
        if (i++ != tested) return;
        detail::set_direction(p, key.child(8));
        right = detail::inner_product(g, p);
      });
      return right;
    });
  });
  return found;
}

/// Backward again with a used, larger tape: the same losses and dcondition to the bit; into a gradient that holds something:
/// added.
template <class S = double, class F>
Finding check_decoder_repeatable(const F& make, const Trial& trial, bool with_condition) {
  const auto m = draw_decoder<S>(make, trial);
  using M = std::remove_const_t<decltype(m)>;
  const auto [B, T] = trial.shape;
  const auto bytes = draw_bytes(B * T, RandomKey{trial.seed}.child(1));
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Tensor<S> condition = draw_condition(m, trial, with_condition);
  const DecoderOutcome<M> first = run_decoder(ctx, m, bytes, trial.shape, condition);
  Trial wider = trial;
  wider.shape = {B + 1, T + m.patch_size()};
  typename M::Tape used(m, wider.shape);
  run_decoder(ctx, m, draw_bytes(wider.shape.rows(), RandomKey{trial.seed}.child(12)), wider.shape,
              draw_condition(m, wider, with_condition), used);
  Finding found = compare_decoders(run_decoder(ctx, m, bytes, trial.shape, condition, used), first, kBits);

  DecoderOutcome<M> twice = first;
  typename M::State state(m, B), dstate(m, B);
  m.train(ctx, {bytes.data(), B, T}, optional_view(condition), optional_view(twice.dcondition), S(kLossScale),
          twice.losses.data(), twice.grad, state, dstate, used);
  for_each_parameter(twice.grad, [](const Name&, auto& g) { g.vec() *= S(0.5); });
  const Finding added = compare_decoders(twice, first, kRelative);
  if (added.error > 64 * static_cast<double>(std::numeric_limits<S>::epsilon())) found.add(added, "added twice: ");
  return found;
}

/// The same bits on any number of threads.
template <class S = float, class F>
Finding check_decoder_threads(const F& make, const Trial& trial, std::initializer_list<int> counts = {2, 3, 7, 16, 33}) {
  const auto m = draw_decoder<S>(make, trial);
  const auto bytes = draw_bytes(trial.shape.rows(), RandomKey{trial.seed}.child(1));
  const auto run_on = [&](int threads) {
    Workspace workspace(threads);
    return run_decoder(context_of(trial, workspace), m, bytes, trial.shape, {});
  };
  const auto one = run_on(1);
  Finding found;
  for (const int threads : counts)
    found.add(compare_decoders(run_on(threads), one, kBits), std::to_string(threads) + " threads: ");
  return found;
}

/// Float against double.
template <class F>
Finding check_decoder_precision(const F& make, const Trial& trial) {
  const auto bytes = draw_bytes(trial.shape.rows(), RandomKey{trial.seed}.child(1));
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  return compare_decoders(run_decoder(ctx, draw_decoder<float>(make, trial), bytes, trial.shape, {}),
                          run_decoder(ctx, draw_decoder<double>(make, trial), bytes, trial.shape, {}), kRelative);
}

}  // namespace megalith::testing
