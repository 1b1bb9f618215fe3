// SPDX-License-Identifier: Apache-2.0
// Dual numbers: a module instantiated for them computes its value and its derivative along one direction, exactly to
// rounding and without a line of derivative code. Not complex numbers with a tiny step: those have no order for max(), and
// Eigen's dot products conjugate.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <compare>
#include <concepts>
#include <limits>
#include <numbers>

namespace megalith::testing {

/// value + derivative * e with e^2 = 0. Trivial, because scratch memory is raw. Ordered and equal by value alone.
struct Dual {
  double value;
  double derivative;

  Dual() = default;
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Dual(T v) : value(static_cast<double>(v)), derivative(0) {}
  constexpr Dual(double v, double d) : value(v), derivative(d) {}

  friend constexpr Dual operator+(Dual a) { return a; }
  friend constexpr Dual operator-(Dual a) { return {-a.value, -a.derivative}; }
  friend constexpr Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.derivative + b.derivative}; }
  friend constexpr Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.derivative - b.derivative}; }
  friend constexpr Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
  }
  friend constexpr Dual operator/(Dual a, Dual b) {
    const double q = a.value / b.value;
    return {q, (a.derivative - q * b.derivative) / b.value};
  }
  constexpr Dual& operator+=(Dual b) { return *this = *this + b; }
  constexpr Dual& operator-=(Dual b) { return *this = *this - b; }
  constexpr Dual& operator*=(Dual b) { return *this = *this * b; }
  constexpr Dual& operator/=(Dual b) { return *this = *this / b; }

  friend constexpr bool operator==(Dual a, Dual b) { return a.value == b.value; }
  friend constexpr std::partial_ordering operator<=>(Dual a, Dual b) { return a.value <=> b.value; }
};

/// f(a) by the chain rule, from f and f' at the value.
constexpr Dual chain(Dual a, double f, double slope) {
  // A slope of infinity (sqrt at 0) times no change is no change; and exp(-infinity) has slope 0 whatever stands there.
  return {f, a.derivative == 0 || slope == 0 ? 0 : a.derivative * slope};
}

inline Dual exp(Dual a) { return chain(a, std::exp(a.value), std::exp(a.value)); }
inline Dual exp2(Dual a) { return chain(a, std::exp2(a.value), std::exp2(a.value) * std::numbers::ln2); }
inline Dual expm1(Dual a) { return chain(a, std::expm1(a.value), std::exp(a.value)); }
inline Dual log(Dual a) { return chain(a, std::log(a.value), 1 / a.value); }
inline Dual log1p(Dual a) { return chain(a, std::log1p(a.value), 1 / (1 + a.value)); }
inline Dual sqrt(Dual a) { return chain(a, std::sqrt(a.value), 0.5 / std::sqrt(a.value)); }
inline Dual sin(Dual a) { return chain(a, std::sin(a.value), std::cos(a.value)); }
inline Dual cos(Dual a) { return chain(a, std::cos(a.value), -std::sin(a.value)); }
inline Dual tanh(Dual a) {
  const double t = std::tanh(a.value);
  return chain(a, t, 1 - t * t);
}
inline Dual erf(Dual a) { return chain(a, std::erf(a.value), 2 * std::numbers::inv_sqrtpi * std::exp(-a.value * a.value)); }
inline Dual abs(Dual a) { return a.value < 0 ? -a : a; }
inline Dual fabs(Dual a) { return abs(a); }
inline Dual pow(Dual a, double n) { return chain(a, std::pow(a.value, n), n * std::pow(a.value, n - 1)); }
inline Dual pow(Dual a, Dual n) { return n.derivative == 0 ? pow(a, n.value) : exp(n * log(a)); }
inline bool isnan(Dual a) { return std::isnan(a.value) || std::isnan(a.derivative); }
inline bool isinf(Dual a) { return std::isinf(a.value) || std::isinf(a.derivative); }
inline bool isfinite(Dual a) { return std::isfinite(a.value) && std::isfinite(a.derivative); }

}  // namespace megalith::testing

namespace std {
template <>
struct numeric_limits<megalith::testing::Dual> : numeric_limits<double> {
  using Dual = megalith::testing::Dual;
  static constexpr Dual min() { return std::numeric_limits<double>::min(); }
  static constexpr Dual max() { return std::numeric_limits<double>::max(); }
  static constexpr Dual lowest() { return std::numeric_limits<double>::lowest(); }
  static constexpr Dual epsilon() { return std::numeric_limits<double>::epsilon(); }
  static constexpr Dual infinity() { return std::numeric_limits<double>::infinity(); }
  static constexpr Dual quiet_NaN() {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
};
}  // namespace std

namespace Eigen {
template <>
struct NumTraits<megalith::testing::Dual> : NumTraits<double> {
  using Real = megalith::testing::Dual;
  using NonInteger = megalith::testing::Dual;
  using Nested = megalith::testing::Dual;
  using Literal = megalith::testing::Dual;
  static Real epsilon() { return std::numeric_limits<Real>::epsilon(); }
  static Real dummy_precision() { return Eigen::NumTraits<double>::dummy_precision(); }
  static Real highest() { return std::numeric_limits<Real>::max(); }
  static Real lowest() { return std::numeric_limits<Real>::lowest(); }
  static Real infinity() { return std::numeric_limits<Real>::infinity(); }
  static Real quiet_NaN() { return std::numeric_limits<Real>::quiet_NaN(); }
  enum { IsComplex = 0, IsInteger = 0, IsSigned = 1, RequireInitialization = 0, ReadCost = 2, AddCost = 2, MulCost = 4 };
};
}  // namespace Eigen
