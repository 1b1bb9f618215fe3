// SPDX-License-Identifier: Apache-2.0
// Products by the tile registers of AMX, compiled for them (src/kernels/CMakeLists.txt): of operands rounded to bf16, and of
// fp32 numbers in three parts each (amx_numbers.h). A tile holds 16 rows of 64 bytes: 16 x 16 sums, or 16 rows of 32 numbers
// along the depth.
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "amx_panels.h"

namespace megalith::detail {
namespace {

constexpr Index kPair = 2 * kSide;  // rows and columns of the sums in four tiles
constexpr int kRowBytes = 64;

/// The operand of ldtilecfg: eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// c = base + a b by micro tiles of 32 x 32 sums in four tile registers; the other four hold tiles of the operands.
template <class Numbers>
struct AmxKernel : AmxPanels<Numbers> {
  using Panels = AmxPanels<Numbers>;
  using Panels::kParts, Panels::kPanelTiles, Panels::kRowElements;

  static void block(const GemmBlock& t) {
    static constexpr TileConfig kConfig;
    _tile_loadconfig(&kConfig);
    alignas(64) float sums[2][kPair * kPair];
    // Sums of the micro tile before: they have reached memory by the time that the next is done.
    const float* waiting = nullptr;
    Index waiting_r = 0, waiting_j = 0, next = 0;
    for (Index r = 0; r < t.rows; r += kPair)
      for (Index j = 0; j < t.cols; j += kPair) {
        const Index rows = smaller(kPair, t.rows - r), cols = smaller(kPair, t.cols - j);
        if (t.base == nullptr && rows % kSide == 0 && cols % kSide == 0) {
          multiply(t, r, j, t.c + r * t.c_stride + j, t.c_stride);
          continue;
        }
        multiply(t, r, j, sums[next], kPair);
        if (waiting != nullptr) finish(t, waiting_r, waiting_j, waiting);
        waiting = sums[next];
        waiting_r = r;
        waiting_j = j;
        next = 1 - next;
      }
    if (waiting != nullptr) finish(t, waiting_r, waiting_j, waiting);
    _tile_release();  // a thread that holds no tiles is cheaper to switch
  }

 private:
  /// c = base + sums, for a micro tile. Sums start from 0 and base is added at the end: starting from a large base would
  /// cost them digits with each tile.
  static void finish(const GemmBlock& t, Index r, Index j, const float* sums) {
    const Index rows = smaller(kPair, t.rows - r), cols = smaller(kPair, t.cols - j);
    const float* const base = t.base == nullptr ? nullptr : t.base + r * t.base_stride + j;
    float* const c = t.c + r * t.c_stride + j;
    for (Index i = 0; i < rows; ++i)
      for (Index l = 0; l < cols; l += kSide) {
        const __mmask16 mask = first_lanes(cols - l);
        __m512 sum = _mm512_load_ps(sums + i * kPair + l);
        if (base != nullptr) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, base + i * t.base_stride + l), sum);
        _mm512_mask_storeu_ps(c + i * t.c_stride + l, mask, sum);
      }
  }

  /// Writes the sums of a micro tile of 32 rows and columns, or of 16 where no more are left.
  static void multiply(const GemmBlock& t, Index r, Index j, float* c, Index c_stride) {
    const bool both_rows = t.rows - r > kSide, both_cols = t.cols - j > kSide;
    if (both_rows) both_cols ? multiply<true, true>(t, r, j, c, c_stride) : multiply<true, false>(t, r, j, c, c_stride);
    else both_cols ? multiply<false, true>(t, r, j, c, c_stride) : multiply<false, false>(t, r, j, c, c_stride);
  }
  template <bool kBothRows, bool kBothCols>
  static void multiply(const GemmBlock& t, Index r, Index j, float* c, Index c_stride) {
    const PackedElement *a = t.a + r / kSide * t.a_panel, *b = t.b + j / kSide * t.b_panel;
    const auto load_left = [&](int part) {
      _tile_loadd(4, a + part * kTile, kRowBytes);
      if constexpr (kBothRows) _tile_loadd(5, a + t.a_panel + part * kTile, kRowBytes);
    };
    const auto load_right = [&](int part) {
      _tile_loadd(6, b + part * kTile, kRowBytes);
      if constexpr (kBothCols) _tile_loadd(7, b + t.b_panel + part * kTile, kRowBytes);
    };
    const auto add_products = [] {
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (kBothCols) _tile_dpbf16ps(1, 4, 7);
      if constexpr (kBothRows) _tile_dpbf16ps(2, 5, 6);
      if constexpr (kBothRows && kBothCols) _tile_dpbf16ps(3, 5, 7);
    };
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    Prefetcher prefetcher(t, r, j);
    for (Index e = 0; e < t.depth; e += kRowElements, a += kPanelTiles, b += kPanelTiles) {
      prefetcher.step(t);
      load_left(0);
      if constexpr (kParts == 3) {  // each tile stays loaded for two products; small products come first
        load_right(2);
        add_products();
        load_right(1);
        add_products();
        load_left(1);
        add_products();
        load_right(0);
        add_products();
        load_left(2);
        add_products();
        load_left(0);
      } else {
        load_right(0);
      }
      add_products();
    }
    const int bytes = static_cast<int>(c_stride * static_cast<Index>(sizeof(float)));
    _tile_stored(0, c, bytes);
    if constexpr (kBothCols) _tile_stored(1, c + kSide, bytes);
    if constexpr (kBothRows) _tile_stored(2, c + kSide * c_stride, bytes);
    if constexpr (kBothRows && kBothCols) _tile_stored(3, c + kSide * c_stride + kSide, bytes);
  }

  /// Prefetches, a little with each step along the depth, what is not in L2: the panels of the next block, spread over the
  /// micro tiles of this one, and the rows of the next micro tile of c.
  struct Prefetcher {
    static constexpr Index kLine = 16;  // numbers of a cache line
    const PackedElement* panel = nullptr;
    const float* c = nullptr;
    Index lines = 0, rows = 0;  // in each step

    Prefetcher(const GemmBlock& t, Index r, Index j) {
      const Index steps = t.depth / kRowElements, across = (t.cols + kPair - 1) / kPair;
      const Index all_steps = steps * across * ((t.rows + kPair - 1) / kPair);
      lines = (t.prefetch_size / kLine + all_steps - 1) / all_steps;
      panel = t.prefetch + (r / kPair * across + j / kPair) * steps * lines * kLine;
      const bool right = j + kPair < t.cols, below = r + kPair < t.rows;
      if (!right && !below) return;
      rows = (kPair + steps - 1) / steps;
      c = right ? t.c + r * t.c_stride + j + kPair : t.c + (r + kPair) * t.c_stride;
    }
    void step(const GemmBlock& t) {
      for (Index i = 0; i < lines; ++i, panel += kLine) _mm_prefetch(panel, _MM_HINT_T1);
      for (Index i = 0; i < rows; ++i, c += t.c_stride) {
        _mm_prefetch(c, _MM_HINT_T0);
        _mm_prefetch(c + kSide, _MM_HINT_T0);
      }
    }
  };
};

/// Whether processor and system have tiles; asks Linux for permission to use them, which it grants once for a process.
bool tiles_granted() {
  unsigned a, b, c, d;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  if ((d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool has_amx() {
  static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && tiles_granted();
  return has;
}

template <class Numbers>
constexpr GemmKernel amx_kernel(const char* name) {
  using K = AmxKernel<Numbers>;
  return {.name = name,
          .panel_rows = kSide,
          .panel_cols = kSide,
          .lanes = kSide,
          .kc = 512,
          .k_step = kDepth,
          .k_step_elements = K::kRowElements,
          .mc = 256,
          .nc = 256,
          .streamed_rows = kPair,
          .streamed_cols = kPair,
          .min_streamed = 512,
          .left = &K::left,
          .pack_b = &K::pack_b,
          .pack_a = &K::pack_a,
          .block = &K::block};
}

}  // namespace

const GemmKernel* gemm_kernel_amx() {
  static constexpr GemmKernel kernel = amx_kernel<Split>("AMX");
  return has_amx() ? &kernel : nullptr;
}

const GemmKernel* gemm_kernel_amx_bf16() {
  static constexpr GemmKernel kernel = amx_kernel<Rounded>("AMX BF16");
  return has_amx() ? &kernel : nullptr;
}

}  // namespace megalith::detail
