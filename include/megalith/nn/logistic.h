// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "megalith/core/wide.h"

namespace megalith {

/// 1 / (1 + exp(-x)).
template <class S>
Wide<S> logistic(S x) {
  using std::exp;
  return Wide<S>(1) / (Wide<S>(1) + exp(-Wide<S>(x)));
}

}  // namespace megalith
