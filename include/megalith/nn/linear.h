// SPDX-License-Identifier: Apache-2.0
// y = x W + b
#pragma once

#include "megalith/kernels/gemm.h"
#include "megalith/kernels/gemm_scratch.h"
#include "megalith/nn/module.h"

namespace megalith {

/// y = x W + b at each position. The weight is (inputs, outputs): a row of x times W is a row of y.
template <class S>
struct Linear {
  using Scalar = S;
  using Tape = NoTape;
  using State = NoState;

  Tensor<S> weight;  // (inputs, outputs)
  Tensor<S> bias;    // (outputs), or empty

  Linear() = default;
  Linear(Index inputs, Index outputs, bool with_bias) : weight({inputs, outputs}) {
    if (with_bias) bias = Tensor<S>({outputs});
  }

  Index in_channels() const { return weight.rows(); }
  Index out_channels() const { return weight.cols(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State&, Tape&) const { apply(ctx, x, y); }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State&) const { apply(ctx, x, y); }

  void apply(const Context& ctx, Seq<const S> x, Seq<S> y) const {
    assert(x.C == in_channels() && y.C == out_channels() && x.row_count() == y.row_count());
    gemm<S>(ctx, x, weight, y, Into::overwrite, bias.data());
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Linear& grad, State&, Tape&) const {
    gemm<S>(ctx, dy, transposed<S>(weight), dx);  // dx = dy W^T
    accumulate(ctx, x, dy, grad);
  }

  /// Backward for an input that other gradients reach too: dx += dy W^T.
  void add_backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Linear& grad) const {
    gemm<S>(ctx, dy, transposed<S>(weight), dx, Into::add);
    accumulate(ctx, x, dy, grad);
  }

  /// The parameters' half of backward: grad.W += x^T dy, grad.b += sum of the rows of dy.
  void accumulate(const Context& ctx, Seq<const S> x, Seq<const S> dy, Linear& grad) const {
    if (bias.empty()) gemm<S>(ctx, transposed<S>(x), dy, grad.weight, Into::add);
    else gemm_and_sums<S>(ctx, transposed<S>(x), dy, grad.weight, grad.bias.vec());
  }

  Flops flops(Shape in) const {
    return {.products = 2.0 * static_cast<double>(in.rows()) * static_cast<double>(weight.size())};
  }
  double scratch(Shape in, Pass pass, int threads) const {
    const Index rows = in.rows(), inputs = in_channels(), outputs = out_channels();
    if (pass != Pass::backward) return gemm_scratch(rows, outputs, inputs, LeftOperand::plain, threads);
    return std::max(gemm_scratch(rows, inputs, outputs, LeftOperand::plain, threads),
                    gemm_scratch(inputs, outputs, rows, LeftOperand::transposed, threads));
  }

  void init(RandomKey key, const Init& how) {
    init_weight(weight, key, how.std, in_channels());
    bias.fill(S(0));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "weight", Role::matrix}, m.weight...);
    if ((!m.bias.empty() || ...)) f(Name{&at, "bias", Role::bias}, m.bias...);
  }
};

}  // namespace megalith
