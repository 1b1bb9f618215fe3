// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

namespace megalith {

/// double where numbers are float, for what is computed once for many of them, or summed over very many.
template <class S>
using Wide = std::conditional_t<std::is_same_v<S, float>, double, S>;

}  // namespace megalith
