// SPDX-License-Identifier: Apache-2.0
// Products of operands rounded to bf16, with sums in fp32, by the tile registers of AMX; compiled for them
// (src/kernels/CMakeLists.txt). A tile holds 16 rows of 64 bytes: 16 x 16 sums, or 16 rows of 16 elements.
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bf16_pairs.h"

namespace megalith::detail {
namespace {

constexpr int kSide = 16;

struct AmxPairs : Bf16 {
  static constexpr int kMultiple = kSide;  // a product of tiles takes 16 elements along K
};

/// The operand of ldtilecfg: eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// c = base + a b by micro tiles of 32 x 32 sums in four tile registers; the other four hold the factors.
struct AmxKernel : MicroKernel<AmxPairs, 6, 2> {
  static constexpr Index kTile = kSide * kSide;  // elements

  /// Whole tiles one after the other, each 16 rows of 16 elements along K.
  static LeftLayout left(bool, Index elements) { return {kSide, kSide, kSide * elements}; }

  static void pack_a(const float* a, Index stride, bool transposed, Index rows, Index in_row, Index depth,
                     PackedElement* out) {
    constexpr Index kDepth = kSide * kGroup;
    for (Index r = 0; r < rows; r += kSide)
      for (Index k = 0; k < depth; k += kDepth, out += kTile) {
        Vec tile[kSide] = {};
        if (transposed) {
          for (Index e = 0; e < kSide && k + e * kGroup < depth; ++e)
            tile[e] = across(a + (k + e * kGroup) * stride + r, stride, smaller(kLanes, in_row - r), depth - k - e * kGroup);
          transpose(tile);
        } else {
          for (Index i = 0; i < smaller(kSide, rows - r); ++i)
            tile[i] = along(a + (r + i) * stride + k, smaller(kDepth, depth - k));
        }
#pragma GCC unroll 16
        for (int i = 0; i < kSide; ++i) store(out + i * kSide, tile[i]);
      }
  }

  static void block(const GemmBlock& t) {
    static constexpr TileConfig kConfig;
    _tile_loadconfig(&kConfig);
    for (Index j = 0; j < t.cols; j += kCols) {
      const PackedElement* const b = t.b + j / kCols * t.b_panel;
      for (Index r = 0; r < t.rows; r += 2 * kSide) {
        const PackedElement* const a = t.a + r / kSide * t.a_panel;
        if (t.rows - r > kSide) sums<true>(t, a, b, r, j);
        else sums<false>(t, a, b, r, j);
      }
    }
    _tile_release();  // a thread that holds no tiles is cheaper to switch
  }

 private:
  /// 32 columns of 32 rows, or of 16 where kBoth is false.
  template <bool kBoth>
  static void sums(const GemmBlock& t, const PackedElement* a, const PackedElement* b, Index r, Index j) {
    constexpr int kRowBytes = kSide * sizeof(PackedElement);
    const Index b_bytes = t.b_step * static_cast<Index>(sizeof(PackedElement));
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (Index k = 0; k < t.depth; k += kSide, a += kTile, b += kSide * t.b_step) {
      _tile_loadd(4, a, kRowBytes);
      _tile_loadd(6, b, b_bytes);
      _tile_loadd(7, b + kSide, b_bytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (kBoth) {
        _tile_loadd(5, a + t.a_panel, kRowBytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
    alignas(64) float sums[2 * kSide * kCols];
    constexpr int kSumBytes = kCols * sizeof(float);
    _tile_stored(0, sums, kSumBytes);
    _tile_stored(1, sums + kSide, kSumBytes);
    if constexpr (kBoth) {
      _tile_stored(2, sums + kSide * kCols, kSumBytes);
      _tile_stored(3, sums + kSide * kCols + kSide, kSumBytes);
    }
    const Index rows = smaller(2 * kSide, t.rows - r), cols = smaller(kCols, t.cols - j);
    for (Index i = 0; i < rows; ++i) {
      const float* const sum = sums + i * kCols;
      const float* const base = t.base == nullptr ? nullptr : t.base + (r + i) * t.base_stride + j;
      float* const c = t.c + (r + i) * t.c_stride + j;
      if (cols == kCols) {
#pragma GCC unroll 2
        for (Index v = 0; v < kCols; v += kLanes)
          store(c + v, base == nullptr ? load<Vec>(sum + v) : load<Vec>(base + v) + load<Vec>(sum + v));
      } else {
        for (Index l = 0; l < cols; ++l) c[l] = (base == nullptr ? 0.0f : base[l]) + sum[l];
      }
    }
  }
};

/// Whether processor and system have tiles; asks the system for leave to use them, which Linux grants a process once.
bool tiles_granted() {
  unsigned a, b, c, d;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  if ((d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

const GemmKernel* gemm_kernel_amx_bf16() {
  using K = AmxKernel;
  static constexpr GemmKernel kernel = {"AMX BF16",   kSide,    K::kCols,   K::kLanes,  K::kGroup, 256,
                                        K::kMultiple, &K::left, &K::pack_b, &K::pack_a, &K::block};
  static const bool granted = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && tiles_granted();
  return granted ? &kernel : nullptr;
}

}  // namespace megalith::detail
