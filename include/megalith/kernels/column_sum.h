// SPDX-License-Identifier: Apache-2.0
// Sums over the rows of activations: the gradient of a bias or a gain.
#pragma once

#include "megalith/core/seq.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// Adds to `sum` what f(i, first, total) adds to `total` for each row i, where `total` holds some columns from `first` on.
/// Tasks are ranges of columns, so each sum has one order whatever the threads. Rows are summed in groups first, which keeps
/// float sums of many rows exact enough.
template <class S, class F>
void add_row_sums(const Context& ctx, Index rows, RowMap<S> sum, F&& f) {
  constexpr Index kColumns = 64, kGroup = 64;  // columns of a task, rows of a group
  ctx.parallel_for((sum.size() + kColumns - 1) / kColumns, [&](Index task, Arena& arena) {
    const Index first = task * kColumns;
    const Index columns = std::min(kColumns, sum.size() - first);
    Frame frame(arena);
    auto group = row_map(frame.take<S>(columns), columns);
    for (Index begin = 0; begin < rows; begin += kGroup) {
      group.setConstant(S(0));
      for (Index i = begin; i < std::min(begin + kGroup, rows); ++i) f(i, first, group);
      row_map(sum.data() + first, columns) += group;
    }
  });
}

/// sum (C) += the sum of the rows of x.
template <class S>
void add_column_sums(const Context& ctx, Seq<const S> x, RowMap<S> sum) {
  assert(sum.size() == x.C);
  add_row_sums<S>(ctx, x.row_count(), sum,
                  [&](Index i, Index first, RowMap<S> total) { total += row_map(x.row(i) + first, total.size()); });
}

}  // namespace megalith
