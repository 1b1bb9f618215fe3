// SPDX-License-Identifier: Apache-2.0
// The temporaries of attention, counted as the calls take them.
#pragma once

#include <type_traits>

#include "megalith/core/shape_only.h"
#include "megalith/kernels/attention.h"

namespace megalith {

/// About how many numbers of scratch attention_forward() or attention_backward() of B sequences takes, on all threads
/// together. Over ShapeOnly it tells of float.
template <class S>
double attention_scratch(const AttentionShape& shape, Index B, Index Tq, Index Tk, bool backward, int threads) {
  using namespace detail;
  if (attend_by_rows(shape.mask, Tq, Tk)) return static_cast<double>(threads * shape.mask.most_keys(Tk));
  using Number = std::conditional_t<std::is_same_v<S, ShapeOnly>, float, S>;
  AttentionInput<Number> in;
  in.Tq = Tq;
  in.Tk = Tk;
  const TileKernel<Number> kernel = tile_kernel(Context(), in);
  const Index nq = std::min(kQueryTile, Tq), nk = std::min(kKeyTile, Tk), Dk = shape.key_width, Dv = shape.value_width;
  const Index heads = B * shape.kv_heads, busy = std::min<Index>(threads, heads);
  const Index left_p = kernel.left_size(kQueryTile, kKeyTile);
  const double scores = static_cast<double>(kQueryTile * kScoreStride);
  if (!backward) {
    const double packed = static_cast<double>(tiles_of(Tk, kKeyTile)) *
                          static_cast<double>(kernel.right_size(Dk, nk) + kernel.right_size(nk, Dv));
    const double of_a_thread = scores + static_cast<double>(2 * kQueryTile + kernel.left_size(nq, Dk) + left_p);
    const Index at_once = heads >= TiledForward<Number>::kManyHeads * threads ? busy : heads;
    return static_cast<double>(at_once) * packed + static_cast<double>(threads) * of_a_thread;
  }
  const Index of_queries =
      kernel.left_size(nq, Dk) + kernel.left_size(nq, Dv) + kernel.right_size(nq, Dv) + kernel.right_size(nq, Dk);
  const Index of_keys = kernel.right_size(nk, Dk) + kernel.right_size(Dk, nk) + kernel.right_size(Dv, nk);
  const double group = static_cast<double>(shape.group());
  const Index left = std::max(left_p, kernel.left_size(kKeyTile, kQueryTile));
  const double of_a_thread =
      2 * scores + static_cast<double>(left + of_keys) +
      group * (static_cast<double>(Tq) + static_cast<double>(tiles_of(Tq, kQueryTile)) * static_cast<double>(of_queries));
  return static_cast<double>(busy) * of_a_thread;
}

}  // namespace megalith
