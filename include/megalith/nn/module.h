// SPDX-License-Identifier: Apache-2.0
// What a module is. Every layer of the library but the embedding and the loss head, which read bytes, satisfies this
// concept, and one test checks all of them (testing/).
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "megalith/core/name.h"
#include "megalith/core/random.h"
#include "megalith/core/seq.h"
#include "megalith/core/shape_only.h"
#include "megalith/core/tensor.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// How parameters get their first values. Weights are normal with standard deviation `std`, truncated at two of them
/// (Yu et al. 2023, A.1); std 0 means 1/sqrt(inputs). Biases are 0, gains 1.
struct Init {
  double std = 0;
  /// Factor on the last projection of each residual branch, and on the condition of an inner decoder; 0 starts every
  /// branch as the identity.
  double residual = 1;
};

/// Fills a weight with truncated normal numbers; `inputs` is what std 0 is derived from.
template <class S>
void init_weight(Tensor<S>& w, RandomKey key, double std, Index inputs) {
  const double scale = std > 0 ? std : 1 / std::sqrt(static_cast<double>(inputs));
  for (Index i = 0; i < w.size(); ++i) w.data()[i] = S(scale * random_truncated_normal(key, static_cast<std::uint64_t>(i)));
}

/// Floating-point operations of a forward pass, a multiply-add counting two.
struct Flops {
  double products = 0;  // with weights
  double mixing = 0;    // of positions with positions: attention

  double total() const { return products + mixing; }
  Flops& operator+=(const Flops& other) {
    products += other.products;
    mixing += other.mixing;
    return *this;
  }
  friend Flops operator+(Flops a, const Flops& b) { return a += b; }
  friend Flops operator*(double n, const Flops& a) { return {n * a.products, n * a.mixing}; }
  bool operator==(const Flops&) const = default;
};

/// The calls of a module, each with temporaries of its own.
enum class Pass { forward, step, backward };

/// A Module is a plain value that owns its parameters, and nothing else.
///
/// ```
///   parameters   its Tensor<S> members. A gradient is another M, and so are Adam's two moments.
///   activations  M::Tape(m, shape): forward fills it, backward reads it. It serves every shape up to its own.
///   temporaries  ctx.scratch(), rewound when the call returns.
///   carry        M::State: what later rows need from earlier ones. M::State(m, B) is closed: nothing came before, nothing
///                is kept, it costs nothing; training on independent windows uses it. M::State(m, B, T) is open, with
///                room for T positions. A copy of a State branches the sequence; reset(rows) forgets it, and goes on as if
///                that many rows had been read of which nothing is seen any more.
///                visit(name, f, state...) calls f(name, tensor...) for the tensors that have a gradient;
///                visit_all(name, f, state) calls it for every field, a Tensor<S> or an Index: saved, sent, compared.
///                valid(rows) tells whether the fields are those of a sequence of which that many rows were read: what
///                loading a saved State asks.
///
///   forward(ctx, x, y, state, tape)               y = f(x, state; m). Starts from state and leaves in it what the rows
///                                                 after need. Writes every element of y, and of tape.
///   step(ctx, x, y, state)                        the same without a tape, for n >= 1 rows.
///   backward(ctx, x, dy, dx, grad, dstate, tape)  with L = <y, dy> + <state left, dstate>: dx = dL/dx is written, grad +=
///                                                 dL/dm is accumulated, dstate becomes dL/d(state received). x is the view
///                                                 given to forward; y need not exist any more. A second call with the same
///                                                 tape gives the same dx and adds the same gradient.
///   flops(shape)                                  of forward: matrix products, and attention by the pairs that it needs.
///                                                 Norms, activations, softmax, masked halves of tiles and recomputation
///                                                 count nothing.
///   scratch(shape, pass, threads)                 about how many numbers of ctx.scratch() a call takes at its highest.
///   init(key, how)                                first values.
///   visit(name, f, m...)                          calls f(name, p...) for every parameter, in checkpoint order, once,
///                                                 zipped over modules of the same structure (they may differ in scalar
///                                                 type or constness). The name tells the role of the parameter.
/// ```
///
/// The number of channels may change from x to y: in_channels() and out_channels() tell. x, y, dy and dx do not overlap.
/// Shapes are preconditions, asserted in debug builds: the models check what users pass, once. No call throws but for
/// want of memory.
/// Thread safety: const calls on one module may run at once, each with a Workspace, State and Tape of its own.
template <class M>
concept Module = std::copyable<M> && std::copyable<typename M::State> &&
    std::constructible_from<typename M::Tape, const M&, Shape> &&
    std::constructible_from<typename M::State, const M&, Index> &&
    std::constructible_from<typename M::State, const M&, Index, Index> &&
    requires(const M m, M grad, Context ctx, Seq<const typename M::Scalar> in, Seq<typename M::Scalar> out,
             typename M::State state, typename M::Tape tape, Shape shape, RandomKey key, Init how) {
  { m.in_channels() } -> std::same_as<Index>;
  { m.out_channels() } -> std::same_as<Index>;
  m.forward(ctx, in, out, state, tape);
  m.step(ctx, in, out, state);
  m.backward(ctx, in, in, out, grad, state, tape);
  { m.flops(shape) } -> std::same_as<Flops>;
  { m.scratch(shape, Pass::forward, 1) } -> std::same_as<double>;
  grad.init(key, how);
  state.reset(Index(0));
  { state.valid(Index(0)) } -> std::same_as<bool>;
};

/// The State of a module whose positions stand alone.
struct NoState {
  NoState() = default;
  template <class M>
  NoState(const M&, Index, Index = 0) {}
  void reset(Index = 0) {}
  bool valid(Index) const { return true; }
  template <class F, class... St>
  static void visit(const Name&, F&&, St&...) {}
  template <class F, class... St>
  static void visit_all(const Name&, F&&, St&...) {}
};

/// The Tape of a module whose backward needs only x.
struct NoTape {
  NoTape() = default;
  template <class M>
  NoTape(const M&, Shape) {}
};

/// Calls f(name, tensor) for every parameter of m.
template <class M, class F>
void for_each_parameter(M& m, F&& f) {
  std::remove_const_t<M>::visit(Name{}, f, m);
}

template <class M>
Index parameter_count(const M& m) {
  Index n = 0;
  for_each_parameter(m, [&](const Name&, const auto& p) { n += p.size(); });
  return n;
}

/// Sets every parameter to 0: a fresh gradient.
template <class M>
void set_zero(M& m) {
  for_each_parameter(m, [](const Name&, auto& p) { p.fill(typename M::Scalar(0)); });
}

}  // namespace megalith
