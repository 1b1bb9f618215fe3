// SPDX-License-Identifier: Apache-2.0
// What linear attention makes of queries and keys, so that their dot products are positive.
#pragma once

#include "megalith/core/scalar.h"
#include "megalith/kernels/math.h"

namespace megalith {

/// x becomes phi(x) = elu(x) + 1 (Katharopoulos et al. 2020, eq. 7): x + 1 above 0, exp(x) below.
template <class S>
void feature_map(RowMap<S> x) {
  x.array() = (x.array() > S(0)).select(x.array() + S(1), math::exp(x.array().min(S(0))));
}
/// d, the gradient of phi(x), becomes that of x. phi' is 1 where phi is above 1, and phi below.
template <class S>
void feature_map_backward(RowMap<const S> phi, RowMap<S> d) {
  d.array() *= phi.array().min(S(1));
}

}  // namespace megalith
