// SPDX-License-Identifier: Apache-2.0
// Copies of sequences, or of some of their channels.
#pragma once

#include <type_traits>

#include "megalith/core/scalar.h"
#include "megalith/core/seq.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// Channels [first, first + count) of each row of `from` (B, T, C) to those from `at` on of the row of `to` (B, T, C').
template <class S>
void copy_channels(const Context& ctx, std::type_identity_t<Seq<const S>> from, Index first, Seq<S> to, Index at,
                   Index count) {
  ctx.parallel_rows(to.row_count(), count, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) row_map(to.row(i) + at, count) = row_map(from.row(i) + first, count);
  });
}

/// to = from, of one shape.
template <class S>
void copy(const Context& ctx, std::type_identity_t<Seq<const S>> from, Seq<S> to) {
  copy_channels(ctx, from, 0, to, 0, to.C);
}

}  // namespace megalith
