// SPDX-License-Identifier: Apache-2.0
// Sums of two sequences.
#pragma once

#include <type_traits>

#include "megalith/core/scalar.h"
#include "megalith/core/seq.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// to += from, of one shape.
template <class S>
void add_to(const Context& ctx, std::type_identity_t<Seq<const S>> from, Seq<S> to) {
  constexpr Index kNumbersPerTask = 16 * 1024;
  ctx.parallel_ranges(to.size(), kNumbersPerTask, [&](Index begin, Index end, Arena&) {
    row_map(to.data + begin, end - begin) += row_map(from.data + begin, end - begin);
  });
}

}  // namespace megalith
