// SPDX-License-Identifier: Apache-2.0
// The functions of activations, losses, norms and attention that Eigen computes in vectors: their bits depend on how wide
// the machine's vectors are. Whoever wants the same bits on all machines has to change them here.
#pragma once

#include <cmath>

#include "megalith/core/scalar.h"

namespace megalith::math {

/// exp and tanh of each element of a row; an expression, which nothing is computed for before it is assigned.
template <class Row>
auto exp(const Eigen::ArrayBase<Row>& x) {
  return x.exp();
}
template <class Row>
auto tanh(const Eigen::ArrayBase<Row>& x) {
  return x.tanh();
}

/// The sum of a row. Eigen adds its elements in as many partial sums as a vector has lanes.
template <class Row>
typename Row::Scalar sum(const Eigen::ArrayBase<Row>& x) {
  return x.sum();
}

/// The sum of the products of two rows.
template <class A, class B>
typename A::Scalar dot(const Eigen::MatrixBase<A>& a, const Eigen::MatrixBase<B>& b) {
  return a.cwiseProduct(b).sum();
}

/// The largest element of a row; it may skip NaN.
template <class Row>
typename Row::Scalar max(const Eigen::ArrayBase<Row>& x) {
  return x.maxCoeff();
}

/// The logarithm of one number.
template <class S>
S log(const S& x) {
  using std::log;
  return log(x);
}

}  // namespace megalith::math
