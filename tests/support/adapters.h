// SPDX-License-Identifier: Apache-2.0
// The two layers that read bytes as modules, so that they come under the same checks: which bytes they read is a function of
// the sequence and the position.
#pragma once

#include <type_traits>

#include "megalith/models/patch_embedder.h"
#include "megalith/nn/softmax_head.h"

namespace megalith::tests {

/// Byte `i` of a sequence.
inline std::uint8_t byte_at(Index sequence, Index i) {
  return static_cast<std::uint8_t>(
      random_words(RandomKey{17}, static_cast<std::uint64_t>(sequence), static_cast<std::uint64_t>(i))[0]);
}

/// y = x + what a patch embedder makes of the bytes before each row's patch.
template <class S>
struct EmbedderModule {
  using Scalar = S;
  struct State : PatchEmbedder<S>::State {
    State() = default;
    State(const EmbedderModule& m, Index B, Index room = 0)
        : PatchEmbedder<S>::State(m.embedder, B, room * m.embedder.patch) {}
  };
  struct Tape : PatchEmbedder<S>::Tape {
    Tape() = default;
    Tape(const EmbedderModule& m, Shape in) : PatchEmbedder<S>::Tape(m.embedder, {in.B, in.T * m.embedder.patch}) {}
  };

  PatchEmbedder<S> embedder;

  EmbedderModule() = default;
  EmbedderModule(Index patch, bool convolves, bool projects, PositionOf of, Index width) {
    constexpr Index kRows = 1200;  // more than the tests read
    const Index E = projects ? 5 : width / patch;
    embedder.patch = patch;
    embedder.position_of = of;
    embedder.table = Tensor<S>({kByteValues, E});
    embedder.pad = Tensor<S>({patch * E});
    embedder.positions = Tensor<S>({patch * kRows, E});
    if (convolves) embedder.convolution = PatchConvolution<S>(E, true);
    if (projects) embedder.project = Linear<S>(patch * E, width, true);
  }

  Index in_channels() const { return embedder.width(); }
  Index out_channels() const { return embedder.width(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    add(x, embed(ctx, read(ctx, x.shape(), frame), x.shape(), state, tape, frame).x, y);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Index P = embedder.patch, first = ctx.row_number(0, x.T).position * P;
    const ByteOrNone* const ids = read(ctx, x.shape(), frame);
    add(x, embedder.step(ctx, ids, {x.B, x.T * P}, first, state, frame).x, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, EmbedderModule& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = read(ctx, x.shape(), frame);
    State received;  // what forward left in the tape
    static_cast<typename PatchConvolution<S>::State&>(received) = received_of(tape);
    const auto out = embed(ctx, ids, x.shape(), received, tape, frame);
    std::copy_n(dy.data, dy.size(), dx.data);
    embedder.backward(ctx, ids, out, embedder.gradient_of(out, dx, frame), grad.embedder, dstate, tape);
  }

  Flops flops(Shape in) const { return embedder.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const Shape bytes{in.B, in.T * embedder.patch};
    if (pass != Pass::backward) return embedder.numbers(bytes) + embedder.scratch(bytes, pass, threads);
    return embedder.numbers(bytes) + std::max(embedder.scratch(bytes, Pass::forward, threads),
                                              embedder.gradient_numbers(bytes) + embedder.scratch(bytes, pass, threads));
  }
  void init(RandomKey, const Init&) {}
  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    PatchEmbedder<S>::visit(at, f, m.embedder...);
  }

 private:
  /// The bytes of the patch before each row's; of the first row none.
  const ByteOrNone* read(const Context& ctx, Shape in, Frame& frame) const {
    const Index P = embedder.patch;
    ByteOrNone* const ids = frame.take<ByteOrNone>(in.rows() * P);
    for (Index i = 0; i < in.rows(); ++i) {
      const auto [sequence, position] = ctx.row_number(i, in.T);
      for (Index p = 0; p < P; ++p)
        ids[i * P + p] = position == 0 ? kNoByte : static_cast<ByteOrNone>(byte_at(sequence, position * P + p));
    }
    return ids;
  }
  auto embed(const Context& ctx, const ByteOrNone* ids, Shape in, State& state, Tape& tape, Frame& frame) const {
    const Index P = embedder.patch;
    return embedder.forward(ctx, ids, {in.B, in.T * P}, ctx.row_number(0, in.T).position * P, state, tape, frame);
  }
  /// The state that forward began with.
  static auto received_of(const Tape& tape) {
    typename PatchConvolution<S>::State received;
    for (std::size_t i = 0; i < received.layers.size(); ++i) received.layers[i] = tape.layers[i].received;
    return received;
  }
  static void add(Seq<const S> x, Seq<S> embedded, Seq<S> y) {
    for (Index i = 0; i < x.size(); ++i) y.data[i] = x.data[i] + embedded.data[i];
  }
};

/// y (B,T,1): the loss in nats of each row's byte.
template <class S>
struct HeadModule {
  using Scalar = S;
  using State = NoState;
  using Tape = NoTape;

  Tensor<S> table;  // (V, C): what a tied head reads
  SoftmaxHead<S> head;

  HeadModule() = default;
  HeadModule(Index channels, bool tied, double soft_cap) : table({kByteValues, channels}), head(channels, tied, soft_cap) {}

  Index in_channels() const { return table.cols(); }
  Index out_channels() const { return 1; }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape&) const { step(ctx, x, y, state); }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State&) const {
    Frame frame(ctx.scratch());
    std::uint8_t* const bytes = frame.take<std::uint8_t>(x.row_count());
    for (Index i = 0; i < x.row_count(); ++i) bytes[i] = byte_of(ctx, i, x.T);
    head.score(ctx, x, table, bytes, y.data);
  }
  /// Row by row, because train() has one scale for all rows.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, HeadModule& grad, State&, Tape&) const {
    for (Index i = 0; i < x.row_count(); ++i) {
      const std::uint8_t byte = byte_of(ctx, i, x.T);
      S loss;
      head.train(ctx, {x.row(i), 1, 1, x.C}, table, &byte, dy.data[i], &loss, {dx.row(i), 1, 1, x.C}, grad.head, grad.table);
    }
  }

  Flops flops(Shape in) const { return {.products = head.flops(in.rows(), in_channels())}; }
  double scratch(Shape in, Pass pass, int) const { return head.scratch(pass == Pass::backward ? 1 : in.rows()); }
  void init(RandomKey key, const Init& how) { head.init(key, how); }
  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    if ((m.head.tied() && ...)) f(Name{&at, "table", Role::table}, m.table...);
    SoftmaxHead<S>::visit(Name{&at, "head"}, f, m.head...);
  }

 private:
  static std::uint8_t byte_of(const Context& ctx, Index i, Index T) {
    const auto [sequence, position] = ctx.row_number(i, T);
    return byte_at(sequence, position);
  }
};

}  // namespace megalith::tests
