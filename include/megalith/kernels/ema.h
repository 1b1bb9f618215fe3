// SPDX-License-Identifier: Apache-2.0
// Moving averages that decay exponentially, of N states for each channel: s_t = q s_{t-1} + x_t, y_t = Re(sum_n k s_t) +
// skip x_t, with complex q and k (Ma et al. 2024, eq. 2) or real ones (Ma et al. 2022, 3.1). As a scan: exactly causal, of
// any length, and with the state at hand. A state of the papers is h_t = p s_t: the weight p of the input is part of k.
#pragma once

#include "megalith/core/shape_only.h"
#include "megalith/kernels/ema_backward.h"
#include "megalith/kernels/ema_forward.h"

namespace megalith {

/// y (B,T,D) of x (B,T,D), by states (B, kParts * N, D): of each state the real part, then the imaginary one.
template <class S, bool complex>
struct Ema {
  using Call = detail::EmaCall<S, complex>;
  using Coefficients = typename Call::Coefficients;
  using Gradient = typename Call::Gradient;
  static constexpr Index kParts = Call::kParts;  // numbers in a state

  /// What a tape keeps: the states before each piece of rows.
  static Tensor<S> kept(Shape in, Index N, Index D) { return Tensor<S>({in.B * detail::ema_pieces(in.T), kParts * N, D}); }

  /// Sets the coefficients of state n in channel d; the imaginary parts are for complex ones.
  static void set(const Coefficients& c, Index n, Index d, S q, S k, S q_im = S(0), S k_im = S(0)) {
    c.at(n, Call::kQ, d) = q;
    c.at(n, Call::kK, d) = k;
    if constexpr (complex) {
      c.at(n, Call::kQIm, d) = q_im;
      c.at(n, Call::kMinusQIm, d) = -q_im;
      c.at(n, Call::kMinusKIm, d) = -k_im;
    }
  }

  /// `states` (B, parts * N, D) are received and left; null: 0 at first, and not kept. `kept` may be null.
  static void forward(const Context& ctx, const Coefficients& c, Seq<const S> x, Seq<S> y, S* states, S* kept) {
    detail::EmaForward<S, complex>(ctx, c, x, y, states, kept).run();
  }
  /// `d_states` come in for those left and become those of the received; null where there are none. Writes dx and d.
  static void backward(const Context& ctx, const Coefficients& c, Seq<const S> x, Seq<const S> dy, Seq<S> dx, const S* kept,
                       S* d_states, const Gradient& d) {
    detail::EmaBackward<S, complex>(ctx, c, x, dy, dx, kept, d_states).run(d);
  }

  /// A state costs q s + x and k s: 4 or 1 multiply-adds, and 2 or 1.
  static double flops(Shape in, Index N, Index D) {
    return static_cast<double>(in.rows()) * static_cast<double>(D) * static_cast<double>(N * (complex ? 12 : 4) + 2);
  }
  /// About how many numbers of scratch a call takes, coefficients and their gradient included. Over ShapeOnly it tells of
  /// float.
  static double scratch(Shape in, Index N, Index D, bool backward, int threads) {
    using Number = std::conditional_t<std::is_same_v<S, ShapeOnly>, float, S>;
    using Of = detail::EmaCall<Number, complex>;
    using Forward = detail::EmaForward<Number, complex>;
    using Backward = detail::EmaBackward<Number, complex>;
    const Index own =
        Of::Coefficients::size(N, D) + (backward ? Of::Gradient::size(N, D) + Backward::scratch(in.B, N, D) : 0);
    const Index of_thread = backward ? Backward::scratch_of_thread(N) : Forward::scratch(N);
    return static_cast<double>(own) + threads * static_cast<double>(of_thread);
  }
};

}  // namespace megalith
