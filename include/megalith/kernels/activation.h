// SPDX-License-Identifier: Apache-2.0
// Activations of the feed-forward layer, each with its derivative, over rows of numbers.
#pragma once

#include <cmath>
#include <numbers>

#include "megalith/core/scalar.h"

namespace megalith {

/// max(x, 0).
struct Relu {
  template <class S>
  static void forward(RowMap<const S> x, RowMap<S> y) {
    y.array() = x.array().max(S(0));
  }
  /// dx = dy where x > 0. dx may be dy.
  template <class S>
  static void backward(RowMap<const S> x, RowMap<const S> dy, RowMap<S> dx) {
    dx.array() = (x.array() > S(0)).select(dy.array(), S(0));
  }
};

/// max(x, 0)^2 (So et al. 2021, "Primer").
struct ReluSquared {
  template <class S>
  static void forward(RowMap<const S> x, RowMap<S> y) {
    y.array() = x.array().max(S(0)).square();
  }
  template <class S>
  static void backward(RowMap<const S> x, RowMap<const S> dy, RowMap<S> dx) {
    dx.array() = dy.array() * x.array().max(S(0)) * S(2);
  }
};

/// x/2 (1 + tanh(a (x + b x^3))), a = sqrt(2/pi), b = 0.044715: the tanh form of GELU (Hendrycks & Gimpel 2016).
struct Gelu {
  static constexpr double a = 0.79788456080286535588, b = 0.044715;

  template <class S>
  static void forward(RowMap<const S> x, RowMap<S> y) {
    y.array() = ((x.array() + x.array().cube() * S(b)) * S(a)).tanh();
    y.array() = x.array() * S(0.5) * (y.array() + S(1));
  }
  /// With t = tanh(u): y' = (1 + t)/2 + x/2 (1 - t^2) u', u' = a (1 + 3 b x^2). dx must not be dy.
  template <class S>
  static void backward(RowMap<const S> x, RowMap<const S> dy, RowMap<S> dx) {
    dx.array() = ((x.array() + x.array().cube() * S(b)) * S(a)).tanh();
    dx.array() = dy.array() * ((dx.array() + S(1)) * S(0.5) + x.array() * S(0.5) * (S(1) - dx.array().square()) *
                                                                  (x.array().square() * S(3 * b) + S(1)) * S(a));
  }
};

/// silu(gate) * value (Shazeer 2020, "GLU variants improve transformer"), silu(x) = x / (1 + exp(-x)).
struct SwiGlu {
  template <class S>
  static void forward(RowMap<const S> gate, RowMap<const S> value, RowMap<S> y) {
    y.array() = gate.array() / ((-gate.array()).exp() + S(1)) * value.array();
  }
  /// With s = 1 / (1 + exp(-gate)): dvalue = dy gate s; dgate = dy value s (1 + gate (1 - s)). dgate must not be dy.
  template <class S>
  static void backward(RowMap<const S> gate, RowMap<const S> value, RowMap<const S> dy, RowMap<S> dgate, RowMap<S> dvalue) {
    dgate.array() = ((-gate.array()).exp() + S(1)).inverse();
    dvalue.array() = dy.array() * gate.array() * dgate.array();
    dgate.array() = dy.array() * value.array() * dgate.array() * (gate.array() * (S(1) - dgate.array()) + S(1));
  }
};

}  // namespace megalith
