// SPDX-License-Identifier: Apache-2.0
// Activations of the feed-forward layer, each with its derivative, over rows of numbers. A new one is a struct with the
// members that Relu has, an enumerator and an entry of ActivationList: everything else goes by the list.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <numbers>
#include <string_view>

#include "megalith/core/fields.h"
#include "megalith/core/scalar.h"
#include "megalith/kernels/math.h"

namespace megalith {

enum class Activation { relu, gelu, relu_squared, swiglu, silu };

/// max(x, 0).
struct Relu {
  static constexpr Activation kKind = Activation::relu;
  static constexpr std::string_view kName = "relu";  // in a model's config
  static constexpr bool kGated = false;              // whether it takes a gate beside each value
  /// FLOPs of one number of the output, exp and tanh counting one; backward does not count computing forward again.
  static constexpr double kForwardFlops = 1, kBackwardFlops = 1;

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

/// x/2 (1 + tanh(a (x + b x^3))), a = sqrt(2/pi), b = 0.044715: the tanh form of GELU (Hendrycks & Gimpel 2016).
struct Gelu {
  static constexpr Activation kKind = Activation::gelu;
  static constexpr std::string_view kName = "gelu";
  static constexpr bool kGated = false;
  static constexpr double kForwardFlops = 9, kBackwardFlops = 19;
  static constexpr double a = 0.79788456080286535588, b = 0.044715;

  template <class S>
  static void forward(RowMap<const S> x, RowMap<S> y) {
    y.array() = math::tanh((x.array() + x.array().cube() * S(b)) * S(a));
    y.array() = x.array() * S(0.5) * (y.array() + S(1));
  }
  /// With t = tanh(u): y' = (1 + t)/2 + x/2 (1 - t^2) u', u' = a (1 + 3 b x^2). dx must not be dy.
  template <class S>
  static void backward(RowMap<const S> x, RowMap<const S> dy, RowMap<S> dx) {
    dx.array() = math::tanh((x.array() + x.array().cube() * S(b)) * S(a));
    dx.array() = dy.array() * ((dx.array() + S(1)) * S(0.5) + x.array() * S(0.5) * (S(1) - dx.array().square()) *
                                                                  (x.array().square() * S(3 * b) + S(1)) * S(a));
  }
};

/// max(x, 0)^2 (So et al. 2021, "Primer").
struct ReluSquared {
  static constexpr Activation kKind = Activation::relu_squared;
  static constexpr std::string_view kName = "relu_squared";
  static constexpr bool kGated = false;
  static constexpr double kForwardFlops = 2, kBackwardFlops = 3;

  template <class S>
  static void forward(RowMap<const S> x, RowMap<S> y) {
    y.array() = x.array().max(S(0)).square();
  }
  template <class S>
  static void backward(RowMap<const S> x, RowMap<const S> dy, RowMap<S> dx) {
    dx.array() = dy.array() * x.array().max(S(0)) * S(2);
  }
};

/// silu(gate) * value (Shazeer 2020, "GLU variants improve transformer"), silu(x) = x / (1 + exp(-x)).
struct SwiGlu {
  static constexpr Activation kKind = Activation::swiglu;
  static constexpr std::string_view kName = "swiglu";
  static constexpr bool kGated = true;
  static constexpr double kForwardFlops = 5, kBackwardFlops = 12;

  template <class S>
  static void forward(RowMap<const S> gate, RowMap<const S> value, RowMap<S> y) {
    y.array() = gate.array() / (math::exp(-gate.array()) + S(1)) * value.array();
  }
  /// With s = 1 / (1 + exp(-gate)): dvalue = dy gate s; dgate = dy value s (1 + gate (1 - s)). dgate must not be dy.
  template <class S>
  static void backward(RowMap<const S> gate, RowMap<const S> value, RowMap<const S> dy, RowMap<S> dgate, RowMap<S> dvalue) {
    dgate.array() = (math::exp(-gate.array()) + S(1)).inverse();
    dvalue.array() = dy.array() * gate.array() * dgate.array();
    dgate.array() = dy.array() * value.array() * dgate.array() * (gate.array() * (S(1) - dgate.array()) + S(1));
  }
};

/// x / (1 + exp(-x)) (Hendrycks & Gimpel 2016).
struct Silu {
  static constexpr Activation kKind = Activation::silu;
  static constexpr std::string_view kName = "silu";
  static constexpr bool kGated = false;
  static constexpr double kForwardFlops = 4, kBackwardFlops = 9;

  template <class S>
  static void forward(RowMap<const S> x, RowMap<S> y) {
    y.array() = x.array() / (math::exp(-x.array()) + S(1));
  }
  /// With s = 1 / (1 + exp(-x)): dx = dy s (1 + x (1 - s)). dx must not be dy.
  template <class S>
  static void backward(RowMap<const S> x, RowMap<const S> dy, RowMap<S> dx) {
    dx.array() = (math::exp(-x.array()) + S(1)).inverse();
    dx.array() *= dy.array() * (x.array() * (S(1) - dx.array()) + S(1));
  }
};

namespace detail {

template <class... A>
struct Activations {
  static constexpr std::array<std::string_view, sizeof...(A)> kNames{A::kName...};

  static constexpr bool in_order_of_enum() {
    std::size_t i = 0;
    return ((static_cast<std::size_t>(A::kKind) == i++) && ...);
  }
  template <class F>
  static void with(Activation kind, F&& f) {
    [[maybe_unused]] const bool found = ((A::kKind == kind && (f(A{}), true)) || ...);
    assert(found);
  }
};

}  // namespace detail

/// All activations, in the order of the enum. kNames are their names in that order.
using ActivationList = detail::Activations<Relu, Gelu, ReluSquared, SwiGlu, Silu>;
static_assert(ActivationList::in_order_of_enum());
template <>
inline constexpr auto kNames<Activation> = ActivationList::kNames;

/// Calls f(A{}), A being the activation of that kind.
template <class F>
void with_activation(Activation kind, F&& f) {
  ActivationList::with(kind, f);
}

/// Whether the activation of that kind takes a gate beside each value.
inline bool is_gated(Activation kind) {
  bool gated = false;
  with_activation(kind, [&]<class A>(A) { gated = A::kGated; });
  return gated;
}

/// y (F) = A(hidden), a row of F numbers, or of 2F where A is gated: gates first, then values.
template <class A, class S>
void activation_forward(const S* hidden, RowMap<S> y) {
  const Index F = y.size();
  if constexpr (A::kGated) A::template forward<S>(row_map(hidden, F), row_map(hidden + F, F), y);
  else A::template forward<S>(row_map(hidden, F), y);
}

/// dhidden, as long as hidden, from dy (F). They do not overlap.
template <class A, class S>
void activation_backward(const S* hidden, RowMap<const S> dy, S* dhidden) {
  const Index F = dy.size();
  if constexpr (A::kGated)
    A::template backward<S>(row_map(hidden, F), row_map(hidden + F, F), dy, row_map(dhidden, F), row_map(dhidden + F, F));
  else A::template backward<S>(row_map(hidden, F), dy, row_map(dhidden, F));
}

}  // namespace megalith
