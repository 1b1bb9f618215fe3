// SPDX-License-Identifier: Apache-2.0
// The convolutions of the patch encoder (Yu et al. 2023, 2.3.1).
#pragma once

#include <array>

#include "megalith/kernels/activation.h"
#include "megalith/kernels/add.h"
#include "megalith/nn/causal_convolution.h"

namespace megalith {

/// y = x + c_7(relu(c_5(relu(c_3(x))))), where c_w is a causal convolution of width w over the embeddings of bytes: what
/// stands around a byte is seen whatever its place in the patch. The paper gives the widths, and leaves open the number of
/// channels (here that of x), the activation and the residual connection.
template <class S>
struct PatchConvolution {
  static constexpr std::array<Index, 3> kWidths{3, 5, 7};
  static constexpr Index kReach = 12;  // rows before its own that a row of y depends on
  using Scalar = S;
  using Layer = CausalConvolution<S>;
  struct State {
    std::array<typename Layer::State, kWidths.size()> layers;
    State() = default;
    State(const PatchConvolution& m, Index B, Index room = 0) {
      for (std::size_t i = 0; i < layers.size(); ++i) layers[i] = {m.layers[i], B, room};
    }
    void reset(Index = 0) {
      for (auto& layer : layers) layer.reset();
    }
    bool valid(Index) const { return true; }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      for (std::size_t i = 0; i < kWidths.size(); ++i) Layer::State::visit(Name::element(at, i), f, state.layers[i]...);
    }
    template <class F, class... St>
    static void visit_all(const Name& at, F&& f, St&... state) {
      visit(at, f, state...);
    }
  };
  struct Tape {
    std::array<typename Layer::Tape, kWidths.size()> layers;
    std::array<Tensor<S>, kWidths.size() - 1> hidden;  // (B*T, E): of each layer but the last, after its ReLU
    Tape() = default;
    Tape(const PatchConvolution& m, Shape in) {
      if (m.empty()) return;
      for (Tensor<S>& h : hidden) h = Tensor<S>({in.rows(), m.in_channels()});
    }
  };

  std::array<Layer, kWidths.size()> layers;

  /// Empty: there is none.
  PatchConvolution() = default;
  PatchConvolution(Index channels, bool bias) {
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i] = Layer(kWidths[i], channels, channels, bias);
  }

  bool empty() const { return layers[0].linear.weight.empty(); }
  Index in_channels() const { return layers[0].in_channels(); }
  Index out_channels() const { return layers[0].in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    const Seq<S> first = hidden(x, tape, 0), second = hidden(x, tape, 1);
    layers[0].forward(ctx, x, first, state.layers[0], tape.layers[0]);
    relu(ctx, first);
    layers[1].forward(ctx, first, second, state.layers[1], tape.layers[1]);
    relu(ctx, second);
    layers[2].forward(ctx, second, y, state.layers[2], tape.layers[2]);
    add_to(ctx, x, y);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> first = frame.seq<S>(x.B, x.T, x.C), second = frame.seq<S>(x.B, x.T, x.C);
    layers[0].step(ctx, x, first, state.layers[0]);
    relu(ctx, first);
    layers[1].step(ctx, first, second, state.layers[1]);
    relu(ctx, second);
    layers[2].step(ctx, second, y, state.layers[2]);
    add_to(ctx, x, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, PatchConvolution& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> first = hidden(x, tape, 0), second = hidden(x, tape, 1);
    const Seq<S> dfirst = frame.seq<S>(x.B, x.T, x.C), dsecond = frame.seq<S>(x.B, x.T, x.C);
    layers[2].backward(ctx, second, dy, dsecond, grad.layers[2], dstate.layers[2], tape.layers[2]);
    relu_backward(ctx, second, dsecond);
    layers[1].backward(ctx, first, dsecond, dfirst, grad.layers[1], dstate.layers[1], tape.layers[1]);
    relu_backward(ctx, first, dfirst);
    layers[0].backward(ctx, x, dfirst, dx, grad.layers[0], dstate.layers[0], tape.layers[0]);
    add_to(ctx, dy, dx);  // forward was: y = x + ...
  }

  Flops flops(Shape in) const {
    Flops sum;
    for (const Layer& layer : layers) sum += layer.flops(in);
    return sum;
  }
  double scratch(Shape in, Pass pass, int threads) const {
    const double row = static_cast<double>(in.rows()) * static_cast<double>(in_channels());
    double highest = 0;
    for (const Layer& layer : layers) highest = std::max(highest, layer.scratch(in, pass, threads));
    return (pass == Pass::forward ? 0 : 2 * row) + highest;
  }

  void init(RandomKey key, const Init& how) {
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i].init(key.child(i), how);
    layers.back().linear.weight.vec() *= S(how.residual);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    for (std::size_t i = 0; i < kWidths.size(); ++i) Layer::visit(Name::element(at, i), f, m.layers[i]...);
  }

 private:
  static Seq<S> hidden(Seq<const S> x, Tape& tape, std::size_t i) { return {tape.hidden[i].data(), x.B, x.T, x.C}; }

  /// f(numbers from `begin` on, count) over all numbers of x.
  template <class F>
  static void for_each_part(const Context& ctx, Seq<const S> x, F&& f) {
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) { f(begin * x.C, (end - begin) * x.C); });
  }
  static void relu(const Context& ctx, Seq<S> x) {
    for_each_part(ctx, x, [&](Index begin, Index n) {
      Relu::forward<S>(row_map<const S>(x.data + begin, n), row_map(x.data + begin, n));
    });
  }
  /// d becomes 0 where y, that which the ReLU gave, is.
  static void relu_backward(const Context& ctx, Seq<const S> y, Seq<S> d) {
    for_each_part(ctx, y, [&](Index begin, Index n) {
      Relu::backward<S>(row_map(y.data + begin, n), row_map<const S>(d.data + begin, n), row_map(d.data + begin, n));
    });
  }
};

}  // namespace megalith
