// SPDX-License-Identifier: Apache-2.0
// Packs operands in panels for micro_kernel.h. As there, everything has internal linkage.
#pragma once

#include "gemm_kernel.h"
#include "vectors.h"

namespace megalith::detail {
namespace {

/// Panels of kRows rows of a left operand and of kVectors registers of columns of a right one. Arithmetic says what an
/// element is: kGroup neighbours along the depth, kLanes elements in a register.
template <class Arithmetic, int kRows, int kVectors>
struct Panels {
  using Vec = typename Arithmetic::Vec;
  static constexpr int kLanes = Arithmetic::kLanes, kGroup = Arithmetic::kGroup;
  static constexpr Index kCols = kVectors * kLanes;
  /// In panels of a transposed left operand: elements from k to k + 1, and the gap between panels, without which they would
  /// collide in the same cache sets.
  static constexpr Index kStep = 8, kGap = 16;
  static_assert(kRows <= kStep && kStep <= kLanes);
  /// How many rows ahead to prefetch: rows are far apart in memory, where the hardware prefetcher does not help.
  static constexpr Index kPrefetchRows = 16;

  /// The layout of GemmKernel::left: columns of kStep elements for a transposed left operand, rows for any other.
  static LeftLayout left(bool transposed, Index elements) {
    return transposed ? LeftLayout{1, kStep, kStep * elements + kGap} : LeftLayout{elements, 1, kRows * elements};
  }

  static void pack_b(const float* b, Index stride, bool transposed, Index cols, Index depth, PackedElement* out,
                     float* sums) {
    const Index elements = elements_of(depth);
    for (Index j = 0; j < cols; j += kCols, out += elements * kCols) {
      const Index width = smaller(kCols, cols - j);
      if (!transposed && width == kCols) {
        float unwanted[kCols] = {};
        pack_rows(b + j, stride, depth, out, sums != nullptr ? sums + j : unwanted);
        continue;
      }
      for (Index i = 0; i < width && sums != nullptr; ++i) {
        float sum = 0;
        for (Index k = 0; k < depth; ++k) sum += b[k * stride + j + i];
        sums[j + i] += sum;
      }
      for (Index v = 0; v < kCols; v += kLanes) {
        const Index lanes = v < width ? smaller(kLanes, width - v) : 0;
        if (transposed) {
          pack_columns(b + (j + v) * stride, stride, lanes, depth, out + v);
        } else {
          for (Index k = 0; k < depth; k += kGroup)
            store(out + k / kGroup * kCols + v, across(b + k * stride + j + v, stride, lanes, depth - k));
        }
      }
    }
  }

  static void pack_a(const float* a, Index stride, bool transposed, Index rows, Index in_row, Index depth,
                     PackedElement* out) {
    const Index elements = elements_of(depth);
    if (transposed) {
      for (Index k = 0; k < depth; k += kGroup, out += kStep) {
        for (Index g = 0; g < kGroup; ++g) prefetch(a + (k + g + kPrefetchRows) * stride, rows);
        for (Index r = 0; r < rows; r += kRows)
          store(out + r / kRows * (elements * kStep + kGap),
                first_elements(across(a + k * stride + r, stride, smaller(kLanes, in_row - r), depth - k)));
      }
      return;
    }
    for (Index r = 0; r < rows; ++r, out += elements)
      for (Index k = 0; k < depth; k += kLanes * kGroup)
        store(out + k / kGroup, along(a + r * stride + k, smaller(kLanes * kGroup, depth - k)));
  }

 private:
  static Index elements_of(Index depth) { return (depth + kGroup - 1) / kGroup; }
  static void prefetch(const float* row, Index numbers) {
    for (Index i = 0; i < numbers; i += 16) __builtin_prefetch(row + i);  // a cache line
  }

  /// Elements along the depth from `count` numbers, 0 beyond them.
  static Vec along(const float* row, Index count) {
    if (count == kLanes * kGroup) return Arithmetic::along(row);
    float numbers[kLanes * kGroup] = {};
    for (Index i = 0; i < count; ++i) numbers[i] = row[i];
    return Arithmetic::along(numbers);
  }

  /// A whole panel of row-major numbers; the sums of its columns are added to `sums`.
  static void pack_rows(const float* from, Index stride, Index depth, PackedElement* out, float* sums) {
    Vec sum[kVectors] = {};
    for (Index k = 0; k < depth; ++k) {
      const float* const row = from + k * stride;
      prefetch(row + kPrefetchRows * stride, kCols);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        sum[v] += load<Vec>(row + v * kLanes);
        if (k % kGroup == 0)
          store(out + k / kGroup * kCols + v * kLanes, across(row + v * kLanes, stride, kLanes, depth - k));
      }
    }
    for (int v = 0; v < kVectors; ++v) store(sums + v * kLanes, load<Vec>(sums + v * kLanes) + sum[v]);
  }

  /// One element of each of `lanes` columns, from the rows at `row`, of which `depth` are left; 0 beyond them.
  static Vec across(const float* row, Index stride, Index lanes, Index depth) {
    if (lanes == kLanes && depth >= kGroup) return Arithmetic::across(row, stride);
    float numbers[kGroup * kLanes] = {};
    for (Index g = 0; g < smaller(kGroup, depth); ++g)
      for (Index l = 0; l < lanes; ++l) numbers[g * kLanes + l] = row[g * stride + l];
    return Arithmetic::across(numbers, kLanes);
  }

  static Floats<kStep> first_elements(Vec v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }

  /// One vector of columns of a transposed right operand: in memory they are rows.
  static void pack_columns(const float* from, Index stride, Index lanes, Index depth, PackedElement* out) {
    for (Index k = 0; k < depth; k += kLanes * kGroup) {
      const Index count = smaller(kLanes * kGroup, depth - k);
      Vec square[kLanes];
      if (lanes == kLanes && count == kLanes * kGroup) {
#pragma GCC unroll 16
        for (int l = 0; l < kLanes; ++l) square[l] = Arithmetic::along(from + l * stride + k);
      } else {
        for (Index l = 0; l < kLanes; ++l) square[l] = l < lanes ? along(from + l * stride + k, count) : Vec{};
      }
      transpose(square);
      const Index elements = (count + kGroup - 1) / kGroup;
      for (Index e = 0; e < elements; ++e) store(out + e * kCols, square[e]);
      out += kLanes * kCols;
    }
  }
};

}  // namespace
}  // namespace megalith::detail
