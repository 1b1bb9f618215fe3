// SPDX-License-Identifier: Apache-2.0
// Products by the tile registers of AMX, compiled for them (src/kernels/CMakeLists.txt): of operands rounded to bf16, and of
// fp32 numbers in three parts each (amx_numbers.h). A tile holds 16 rows of 64 bytes: 16 x 16 sums, or 16 rows of 32 numbers
// along K.
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "amx_numbers.h"

namespace megalith::detail {
namespace {

constexpr Index kPair = 2 * kSide;  // rows and columns of sums in four tiles
constexpr int kRowBytes = 64;

/// The operand of ldtilecfg: eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// c = base + a b by micro tiles of 32 x 32 sums in four tile registers; the other four hold the factors. A panel of either
/// factor is 16 rows or columns wide; a piece of 32 numbers along K is a tile of each part.
template <class Numbers>
struct AmxKernel {
  static constexpr int kParts = Numbers::kParts;
  static constexpr Index kPiece = kParts * kTile, kPieceElements = kPiece / kSide;  // of a panel, and of each of its rows
  static LeftLayout left(bool, Index elements) { return {kSide, kSide, kSide * elements}; }

  static void pack_a(const float* a, Index stride, bool transposed, Index rows, Index, Index depth, PackedElement* out) {
    if (transposed) pack<Pairs::along, false>(a, stride, rows, depth, out, nullptr);
    else pack<Pairs::along, true>(a, stride, rows, depth, out, nullptr);
  }
  static void pack_b(const float* b, Index stride, bool transposed, Index cols, Index depth, PackedElement* out,
                     float* sums) {
    if (transposed) pack<Pairs::across, true>(b, stride, cols, depth, out, nullptr);
    else pack<Pairs::across, false>(b, stride, cols, depth, out, sums);
  }

  static void block(const GemmBlock& t) {
    static constexpr TileConfig kConfig;
    _tile_loadconfig(&kConfig);
    alignas(64) float sums[2][kPair * kPair];
    const float* waiting = nullptr;  // sums of the micro tile before, which are in memory by the time that this one is done
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
  /// `count` rows or columns by `depth` numbers along K. kContiguous: the numbers along K are neighbours in memory.
  template <Pairs kPairs, bool kContiguous>
  static void pack(const float* from, Index stride, Index count, Index depth, PackedElement* out, float* sums) {
    const Index panels = (count + kSide - 1) / kSide, pieces = (depth + kDepth - 1) / kDepth;
    for (Index i = 0; i < panels * pieces; ++i) {  // along the rows of the memory
      const Index panel = kContiguous ? i / pieces : i % panels, piece = kContiguous ? i % pieces : i / panels;
      const Index p = panel * kSide, k = piece * kDepth;
      Vec x[kSide], y[kSide];
      if constexpr (kContiguous) {
        if (p + kSide < count) {
          for (Index row = kSide; row < 2 * kSide; ++row) {
            _mm_prefetch(from + (p + row) * stride + k, _MM_HINT_T1);
            _mm_prefetch(from + (p + row) * stride + k + kSide, _MM_HINT_T1);
          }
        }
        load_square(from + p * stride + k, stride, count - p, depth - k, x);
        load_square(from + p * stride + k + kSide, stride, count - p, depth - k - kSide, y);
      } else {
        for (Index row = 0; row < kDepth; ++row) _mm_prefetch(from + (k + kDepth + row) * stride + p, _MM_HINT_T1);
        load_square(from + k * stride + p, stride, depth - k, count - p, x);
        load_square(from + (k + kSide) * stride + p, stride, depth - k - kSide, count - p, y);
        if (sums != nullptr) add_rows(x, y, smaller(kSide, count - p), sums + p);
      }
      if constexpr (kContiguous != (kPairs == Pairs::along)) {
        transpose(x);
        transpose(y);
      }
      PackedElement* const tiles = out + (panel * pieces + piece) * kPiece;
#pragma GCC unroll 16
      for (int row = 0; row < kSide; ++row) {
        if constexpr (kPairs == Pairs::along) {
          Numbers::template store_elements<kPairs>(x[row], y[row], tiles + row * kSide);
        } else {
          const Vec* const pair = row < kSide / 2 ? x + 2 * row : y + 2 * row - kSide;
          Numbers::template store_elements<kPairs>(pair[0], pair[1], tiles + row * kSide);
        }
      }
    }
  }

  static void add_rows(const Vec (&x)[kSide], const Vec (&y)[kSide], Index cols, float* sums) {
    Vec sum_x = x[0], sum_y = y[0];
    for (int i = 1; i < kSide; ++i) {
      sum_x += x[i];
      sum_y += y[i];
    }
    sum_x += sum_y;
    for (Index l = 0; l < cols; ++l) sums[l] += sum_x[l];
  }

  /// c = base + sums, for a micro tile. Base is added to the sums, not the sums to base, whose size would cost them digits
  /// with each piece.
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

  /// Writes the sums of a micro tile of 32 rows and columns, or of 16 where there are no more.
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
    Ahead ahead(t, r, j);
    for (Index e = 0; e < t.depth; e += kPieceElements, a += kPiece, b += kPiece) {
      ahead.fetch(t);
      load_left(0);
      if constexpr (kParts == 3) {  // each tile stays for two products; what is small comes first
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

  /// Fetches, a little with each piece, what is read soon from beyond the second cache: the panels of the next block, spread
  /// over the micro tiles of this one, and the rows of the next micro tile of c.
  struct Ahead {
    static constexpr Index kLine = 16;  // numbers
    const PackedElement* panel = nullptr;
    const float* c = nullptr;
    Index lines = 0, rows = 0;  // with each piece

    Ahead(const GemmBlock& t, Index r, Index j) {
      const Index pieces = t.depth / kPieceElements, across = (t.cols + kPair - 1) / kPair;
      const Index pieces_in_all = pieces * across * ((t.rows + kPair - 1) / kPair);
      lines = (t.next_size / kLine + pieces_in_all - 1) / pieces_in_all;
      panel = t.next + (r / kPair * across + j / kPair) * pieces * lines * kLine;
      const bool right = j + kPair < t.cols, below = r + kPair < t.rows;
      if (!right && !below) return;
      rows = (kPair + pieces - 1) / pieces;
      c = right ? t.c + r * t.c_stride + j + kPair : t.c + (r + kPair) * t.c_stride;
    }
    void fetch(const GemmBlock& t) {
      for (Index i = 0; i < lines; ++i, panel += kLine) _mm_prefetch(panel, _MM_HINT_T1);
      for (Index i = 0; i < rows; ++i, c += t.c_stride) {
        _mm_prefetch(c, _MM_HINT_T0);
        _mm_prefetch(c + kSide, _MM_HINT_T0);
      }
    }
  };
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

bool has_amx() {
  static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && tiles_granted();
  return has;
}

template <class Numbers>
constexpr GemmKernel amx_kernel(const char* name) {
  using K = AmxKernel<Numbers>;
  return {.name = name,
          .rows = kSide,
          .cols = kSide,
          .lanes = kSide,
          .chunk = 512,
          .step = kDepth,
          .step_elements = K::kPieceElements,
          .strip_rows = 256,
          .strip_cols = 256,
          .pass_rows = kPair,
          .pass_cols = kPair,
          .short_piece = 512,
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
