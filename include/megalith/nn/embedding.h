// SPDX-License-Identifier: Apache-2.0
// Rows of a table, picked by bytes.
#pragma once

#include "megalith/core/tensor.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// Where a row gets its embedding from: a byte, or nothing (the row is left to a pad).
using ByteOrNone = std::int16_t;
inline constexpr ByteOrNone kNoByte = -1;

/// out[i] = table[ids[i]] for each id that is a byte; the other rows are not touched. table is (V, C), out (n, C).
template <class S>
void embed(const Context& ctx, const Tensor<S>& table, const ByteOrNone* ids, Index n, S* out) {
  const Index C = table.cols();
  ctx.parallel_rows(n, C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i)
      if (ids[i] != kNoByte) row_map(out + i * C, C) = row_map(table.row(ids[i]), C);
  });
}

/// grad.table[ids[i]] += dout[i], in the order of i. Cut by columns, so that no two threads add to one number.
template <class S>
void embed_backward(const Context& ctx, const ByteOrNone* ids, Index n, const S* dout, Tensor<S>& grad_table) {
  constexpr Index kColumnsPerTask = 32;
  const Index C = grad_table.cols();
  ctx.parallel_ranges(C, kColumnsPerTask, [&](Index begin, Index end, Arena&) {
    for (Index i = 0; i < n; ++i)
      if (ids[i] != kNoByte)
        row_map(grad_table.row(ids[i]) + begin, end - begin) += row_map(dout + i * C + begin, end - begin);
  });
}

}  // namespace megalith
