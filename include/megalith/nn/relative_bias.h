// SPDX-License-Identifier: Apache-2.0
// What attention adds to a score for the distance between query and key.
#pragma once

#include <cmath>

#include "megalith/core/fields.h"
#include "megalith/kernels/math.h"
#include "megalith/nn/module.h"

namespace megalith {

enum class RelativeBiasKind { none, simple, rotary };
template <>
inline constexpr std::array<std::string_view, 3> kNames<RelativeBiasKind>{"none", "simple", "rotary"};

/// A bias for each distance i - j = 0, 1, ... of a query i from a key j (Ma et al. 2022, 3.3, b_rel). simple: a learned
/// number for each distance in a chunk. rotary: (R_i alpha) (R_j beta) with learned vectors alpha and beta of Z numbers,
/// where R_p turns the pair (n, n + Z/2) by p base^(-2n/Z); no query has a part in it. Parameters, and no module: there is
/// no x.
template <class S>
struct RelativeBias {
  RelativeBiasKind kind = RelativeBiasKind::none;
  double base = 0;
  Tensor<S> table;        // (chunk): of a simple one
  Tensor<S> alpha, beta;  // (Z): of a rotary one

  RelativeBias() = default;
  /// Z is even where it is a rotary one.
  RelativeBias(RelativeBiasKind k, Index chunk, Index Z, double rotary_base) : kind(k), base(rotary_base) {
    if (kind == RelativeBiasKind::simple) table = Tensor<S>({chunk});
    if (kind == RelativeBiasKind::rotary) alpha = beta = Tensor<S>({Z});
  }

  /// Of the distances [0, n), n at most the chunk; in `frame` where they are no parameters. Null where there is none.
  const S* of_distances(Index n, Frame& frame) const {
    if (kind == RelativeBiasKind::none) return nullptr;
    if (kind == RelativeBiasKind::simple) return table.data();
    const Index half = alpha.size() / 2;
    S *const bias = frame.take<S>(n), *const even = frame.take<S>(half), *const odd = frame.take<S>(half);
    // R_i is orthogonal, so the bias is alpha (R_(j-i) beta): of each pair, with the angle a of distance 1,
    // (alpha_1 beta_1 + alpha_2 beta_2) cos(d a) + (alpha_1 beta_2 - alpha_2 beta_1) sin(d a).
    const S *const a = alpha.data(), *const b = beta.data();
    for (Index p = 0; p < half; ++p) {
      even[p] = a[p] * b[p] + a[half + p] * b[half + p];
      odd[p] = a[p] * b[half + p] - a[half + p] * b[p];
    }
    for_each_distance(n, frame, [&](Index d, const S* cosine, const S* sine) {
      bias[d] = math::dot(row_map(even, half), row_map(cosine, half)) + math::dot(row_map(odd, half), row_map(sine, half));
    });
    return bias;
  }

  /// Where backward adds the gradients of n biases: null where there are none, and to parameters themselves if possible.
  S* gradient(Index n, Frame& frame) {
    if (kind == RelativeBiasKind::none) return nullptr;
    if (kind == RelativeBiasKind::simple) return table.data();
    S* const d = frame.take<S>(n);
    row_map(d, n).setConstant(S(0));
    return d;
  }
  /// From what gradient() gave, when it is complete, to the gradients of the parameters.
  void accumulate(const S* d_bias, Index n, RelativeBias& grad, Frame& frame) const {
    if (kind != RelativeBiasKind::rotary) return;
    const Index half = alpha.size() / 2;
    S *const even = frame.take<S>(half), *const odd = frame.take<S>(half);
    auto d_even = row_map(even, half), d_odd = row_map(odd, half);
    d_even.setConstant(S(0));
    d_odd.setConstant(S(0));
    for_each_distance(n, frame, [&](Index d, const S* cosine, const S* sine) {
      d_even += row_map(cosine, half) * d_bias[d];
      d_odd += row_map(sine, half) * d_bias[d];
    });
    const S *const a = alpha.data(), *const b = beta.data();
    S *const da = grad.alpha.data(), *const db = grad.beta.data();
    for (Index p = 0; p < half; ++p) {
      da[p] += b[p] * even[p] + b[half + p] * odd[p];
      da[half + p] += b[half + p] * even[p] - b[p] * odd[p];
      db[p] += a[p] * even[p] - a[half + p] * odd[p];
      db[half + p] += a[half + p] * even[p] + a[p] * odd[p];
    }
  }

  /// Numbers of scratch that n biases take; those of doubles count as two.
  double scratch(Index n, bool backward) const {
    if (kind != RelativeBiasKind::rotary) return 0;
    const Index half = alpha.size() / 2;
    return static_cast<double>(n + 12 * half + (backward ? n + 12 * half : 0));
  }

  /// As its authors' code: N(0, 0.02²), truncated at two deviations.
  void init(RandomKey key) {
    init_weight(table, key.child(0), 0.02, 1);
    init_weight(alpha, key.child(1), 0.02, 1);
    init_weight(beta, key.child(2), 0.02, 1);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    const bool simple = ((m.kind == RelativeBiasKind::simple) && ...),
               rotary = ((m.kind == RelativeBiasKind::rotary) && ...);
    if (simple) f(Name{&at, "table", Role::bias}, m.table...);
    if (rotary) {
      f(Name{&at, "alpha", Role::bias}, m.alpha...);
      f(Name{&at, "beta", Role::bias}, m.beta...);
    }
  }

 private:
  /// f(d, cosines, sines) for the distances d in [0, n): of the d-fold angles of all pairs. They are turned on from distance
  /// to distance, in double, since a cosine and a sine of each would take longer than the scores of a row.
  template <class F>
  void for_each_distance(Index n, Frame& frame, F&& f) const {
    const Index half = alpha.size() / 2;
    double *const turn_cosine = frame.take<double>(half), *const turn_sine = frame.take<double>(half);
    double *const c = frame.take<double>(half), *const s = frame.take<double>(half);
    S *const cosine = frame.take<S>(half), *const sine = frame.take<S>(half);
    for (Index p = 0; p < half; ++p) {
      const double angle = std::pow(base, -static_cast<double>(p) / static_cast<double>(half));
      turn_cosine[p] = std::cos(angle);
      turn_sine[p] = std::sin(angle);
      c[p] = 1;
      s[p] = 0;
    }
    for (Index d = 0; d < n; ++d) {
      for (Index p = 0; p < half; ++p) {
        cosine[p] = S(c[p]);
        sine[p] = S(s[p]);
        const double next = c[p] * turn_cosine[p] - s[p] * turn_sine[p];
        s[p] = s[p] * turn_cosine[p] + c[p] * turn_sine[p];
        c[p] = next;
      }
      f(d, cosine, sine);
    }
  }
};

}  // namespace megalith
