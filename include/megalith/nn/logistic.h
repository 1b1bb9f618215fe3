// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <type_traits>

namespace megalith {

/// double where numbers are float, for what is computed once for many.
template <class S>
using Wide = std::conditional_t<std::is_same_v<S, float>, double, S>;

/// 1 / (1 + exp(-x)).
template <class S>
Wide<S> logistic(S x) {
  using std::exp;
  return Wide<S>(1) / (Wide<S>(1) + exp(-Wide<S>(x)));
}

}  // namespace megalith
