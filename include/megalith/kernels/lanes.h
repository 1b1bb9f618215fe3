// SPDX-License-Identifier: Apache-2.0
// Vectors of numbers, as wide as those of the instruction set that the code is compiled for.
#pragma once

#include "megalith/core/scalar.h"

namespace megalith {

/// A block of kSize neighbouring channels: two vectors of a scalar type that has any, which is a cache line or more; else
/// one number. Operations are Eigen's on packets, so that one source serves all instruction sets and the test scalars.
template <class S>
struct Lanes {
  using Vector = typename Eigen::internal::packet_traits<S>::type;
  static constexpr Index kWidth = Eigen::internal::unpacket_traits<Vector>::size;
  static constexpr Index kVectors = kWidth > 1 ? 2 : 1;
  static constexpr Index kSize = kVectors * kWidth;

  Vector vectors[kVectors];

  /// From memory that is aligned as a Tensor's or a Frame's is.
  static Lanes load(const S* from) {
    Lanes a;
    for (Index v = 0; v < kVectors; ++v) a[v] = Eigen::internal::pload<Vector>(from + v * kWidth);
    return a;
  }
  static Lanes zero() {
    Lanes a;
    for (Index v = 0; v < kVectors; ++v) a[v] = Eigen::internal::pset1<Vector>(S(0));
    return a;
  }
  void store(S* to) const {
    for (Index v = 0; v < kVectors; ++v) Eigen::internal::pstore(to + v * kWidth, vectors[v]);
  }
  Vector& operator[](Index v) { return vectors[v]; }
  const Vector& operator[](Index v) const { return vectors[v]; }

  friend Lanes operator*(const Lanes& a, const Lanes& b) {
    Lanes c;
    for (Index v = 0; v < kVectors; ++v) c[v] = Eigen::internal::pmul(a[v], b[v]);
    return c;
  }
  friend Lanes operator+(const Lanes& a, const Lanes& b) {
    Lanes c;
    for (Index v = 0; v < kVectors; ++v) c[v] = Eigen::internal::padd(a[v], b[v]);
    return c;
  }
  friend Lanes operator-(const Lanes& a) {
    Lanes c;
    for (Index v = 0; v < kVectors; ++v) c[v] = Eigen::internal::pnegate(a[v]);
    return c;
  }
};

/// a b + c, rounded once where the processor has such an instruction.
template <class S>
Lanes<S> multiply_add(const Lanes<S>& a, const Lanes<S>& b, const Lanes<S>& c) {
  Lanes<S> d;
  for (Index v = 0; v < Lanes<S>::kVectors; ++v) d[v] = Eigen::internal::pmadd(a[v], b[v], c[v]);
  return d;
}

}  // namespace megalith
