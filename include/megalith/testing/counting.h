// SPDX-License-Identifier: Apache-2.0
// A scalar that counts the multiplications of matrix products, to check what a module says in flops().
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <compare>
#include <limits>

#include "megalith/core/shape.h"
#include "megalith/kernels/gemm.h"

namespace megalith::testing {

/// A double that counts multiplications made inside of products, on the calling thread. Those by the constant 1 do not
/// count: Eigen's products scale their result by such a factor.
struct Counting {
  double value;
  bool is_unit;  // the constant 1, not a number that happens to be 1

  Counting() = default;
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Counting(T v) : value(static_cast<double>(v)), is_unit(value == 1) {}
  constexpr Counting(double v, bool unit) : value(v), is_unit(unit) {}

  /// Multiplications counted on this thread since it started.
  static Index count() { return count_; }

  friend constexpr Counting operator+(Counting a) { return a; }
  friend constexpr Counting operator-(Counting a) { return {-a.value, false}; }
  friend constexpr Counting operator+(Counting a, Counting b) { return {a.value + b.value, false}; }
  friend constexpr Counting operator-(Counting a, Counting b) { return {a.value - b.value, false}; }
  friend Counting operator*(Counting a, Counting b) {
    if (products_ > 0 && !a.is_unit && !b.is_unit) ++count_;
    return {a.value * b.value, a.is_unit && b.is_unit};
  }
  friend constexpr Counting operator/(Counting a, Counting b) { return {a.value / b.value, false}; }
  Counting& operator+=(Counting b) { return *this = *this + b; }
  Counting& operator-=(Counting b) { return *this = *this - b; }
  Counting& operator*=(Counting b) { return *this = *this * b; }
  Counting& operator/=(Counting b) { return *this = *this / b; }

  friend constexpr bool operator==(Counting a, Counting b) { return a.value == b.value; }
  friend constexpr std::partial_ordering operator<=>(Counting a, Counting b) { return a.value <=> b.value; }

 private:
  friend struct megalith::detail::GemmScope<Counting>;
  static inline thread_local Index count_ = 0;
  static inline thread_local int products_ = 0;  // that this thread is inside of
};

inline Counting exp(Counting a) { return {std::exp(a.value), false}; }
inline Counting exp2(Counting a) { return {std::exp2(a.value), false}; }
inline Counting expm1(Counting a) { return {std::expm1(a.value), false}; }
inline Counting log(Counting a) { return {std::log(a.value), false}; }
inline Counting log1p(Counting a) { return {std::log1p(a.value), false}; }
inline Counting sqrt(Counting a) { return {std::sqrt(a.value), false}; }
inline Counting sin(Counting a) { return {std::sin(a.value), false}; }
inline Counting cos(Counting a) { return {std::cos(a.value), false}; }
inline Counting tanh(Counting a) { return {std::tanh(a.value), false}; }
inline Counting erf(Counting a) { return {std::erf(a.value), false}; }
inline Counting abs(Counting a) { return {std::abs(a.value), false}; }
inline Counting fabs(Counting a) { return abs(a); }
inline Counting pow(Counting a, Counting n) { return {std::pow(a.value, n.value), false}; }
inline bool isnan(Counting a) { return std::isnan(a.value); }
inline bool isinf(Counting a) { return std::isinf(a.value); }
inline bool isfinite(Counting a) { return std::isfinite(a.value); }

}  // namespace megalith::testing

/// While one of these lives, multiplications on its thread belong to a product.
template <>
struct megalith::detail::GemmScope<megalith::testing::Counting> {
  GemmScope() { ++megalith::testing::Counting::products_; }
  ~GemmScope() { --megalith::testing::Counting::products_; }
  GemmScope(const GemmScope&) = delete;
  GemmScope& operator=(const GemmScope&) = delete;
};

namespace std {
template <>
struct numeric_limits<megalith::testing::Counting> : numeric_limits<double> {
  using Counting = megalith::testing::Counting;
  static constexpr Counting min() { return std::numeric_limits<double>::min(); }
  static constexpr Counting max() { return std::numeric_limits<double>::max(); }
  static constexpr Counting lowest() { return std::numeric_limits<double>::lowest(); }
  static constexpr Counting epsilon() { return std::numeric_limits<double>::epsilon(); }
  static constexpr Counting infinity() { return std::numeric_limits<double>::infinity(); }
  static constexpr Counting quiet_NaN() { return std::numeric_limits<double>::quiet_NaN(); }
};
}  // namespace std

namespace Eigen {
template <>
struct NumTraits<megalith::testing::Counting> : NumTraits<double> {
  using Real = megalith::testing::Counting;
  using NonInteger = megalith::testing::Counting;
  using Nested = megalith::testing::Counting;
  using Literal = megalith::testing::Counting;
  static Real epsilon() { return std::numeric_limits<Real>::epsilon(); }
  static Real dummy_precision() { return Eigen::NumTraits<double>::dummy_precision(); }
  static Real highest() { return std::numeric_limits<Real>::max(); }
  static Real lowest() { return std::numeric_limits<Real>::lowest(); }
  static Real infinity() { return std::numeric_limits<Real>::infinity(); }
  static Real quiet_NaN() { return std::numeric_limits<Real>::quiet_NaN(); }
  enum { IsComplex = 0, IsInteger = 0, IsSigned = 1, RequireInitialization = 0, ReadCost = 2, AddCost = 2, MulCost = 2 };
};
}  // namespace Eigen
