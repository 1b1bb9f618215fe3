// SPDX-License-Identifier: Apache-2.0
// Float products over all threads: the right factor is laid out in panels once, by all threads, then blocks of the output
// are computed by one thread each.
#include "blocked_product.h"
#include "megalith/kernels/gemm.h"

namespace megalith::detail {
namespace {

/// A task: this block of the output, whose rows of the left factor stay in the second cache; of half as many columns where
/// there are too few tasks for all threads to end together.
constexpr Index kBlockRows = 96, kBlockCols = 256, kFewTasks = 8;
/// The same for products on one thread, whose panel lies on the stack.
constexpr Index kTileChunk = 128, kLargestPanel = 64;
/// With so few rows, as in decoding, a right factor is read where it lies: laying it out costs more than it saves.
constexpr Index kThin = 48;

Index blocks_of(Index n, Index size) { return (n + size - 1) / size; }

/// A left factor that is used where it lies.
void set_left(GemmBlock& t, const GemmKernel& kernel, const Factor<float>& a) {
  t.a = a.data;
  t.a_row = a.transposed ? 1 : a.stride;
  t.a_step = a.transposed ? a.stride : 1;
  t.a_panel = kernel.rows * t.a_row;
}

/// What c is added to in chunk `first` of K.
void set_base(GemmBlock& t, const Mat<float>& c, Into into, const float* bias, bool first) {
  t.c = c.data;
  t.c_stride = c.stride;
  const bool add = into == Into::add || !first;
  t.base = add ? c.data : bias;
  t.base_stride = add ? c.stride : 0;
}

/// c = base + a b with few rows of a, b row-major. A task is a panel of columns.
void thin_product(const GemmKernel& kernel, const Context& ctx, const Factor<float>& a, const Factor<float>& b,
                  const Mat<float>& c, Into into, const float* bias) {
  // A single row likes long pieces of b's rows, but two threads like two pieces.
  const Index width = c.rows > 1 ? kernel.cols : c.cols % 512 == 0 ? 256 : 128;
  ctx.parallel_for(blocks_of(c.cols, width), [&](Index i, Lane& lane) {
    const Index j = i * width;
    GemmBlock t{};
    t.rows = c.rows;
    t.cols = std::min(width, c.cols - j);
    t.b_panel = kernel.cols;
    const bool in_place = t.cols % kernel.lanes == 0;
    for (Index k = 0; k < a.cols; k += kernel.chunk) {
      Frame frame(lane);
      t.depth = std::min(kernel.chunk, a.cols - k);
      set_left(t, kernel, a.block(0, k, a.rows, t.depth));
      t.b = b.block(k, j, t.depth, t.cols).data;
      t.b_step = b.stride;
      if (!in_place) {
        PackedElement* const panel = frame.take<PackedElement>(blocks_of(t.cols, kernel.cols) * kernel.cols * t.depth);
        kernel.pack_b(t.b, b.stride, false, t.cols, t.depth, panel, nullptr);
        t.b = panel;
        t.b_step = kernel.cols;
        t.b_panel = kernel.cols * t.depth;
      }
      set_base(t, c.block(0, j, t.rows, t.cols), into, bias == nullptr ? nullptr : bias + j, k == 0);
      kernel.block(t);
    }
  });
}

}  // namespace

void blocked_product(const GemmKernel& kernel, const Context& ctx, const Factor<float>& a, const Factor<float>& b,
                     const Mat<float>& c, Into into, const float* bias, float* b_sums) {
  if (c.rows <= kThin && kernel.group == 1 && !b.transposed && b_sums == nullptr)
    return thin_product(kernel, ctx, a, b, c, into, bias);
  const auto elements_of = [&](Index depth) { return blocks_of(depth, kernel.group * kernel.multiple) * kernel.multiple; };
  const Index longest = elements_of(std::min(a.cols, kernel.chunk));
  const Index panels = blocks_of(c.cols, kernel.cols), down = blocks_of(c.rows, kBlockRows),
              block_cols = down * blocks_of(c.cols, kBlockCols) < kFewTasks * ctx.threads() ? kBlockCols / 2 : kBlockCols,
              across = blocks_of(c.cols, block_cols);
  Frame frame(ctx.scratch());
  PackedElement* const packed_b = frame.take<PackedElement>(panels * kernel.cols * longest);
  const bool packs_a = a.transposed || kernel.group > 1;
  const Index a_block = blocks_of(kBlockRows, kernel.rows) * kernel.left(a.transposed, longest).panel + kernel.lanes;
  PackedElement* const packed_a = packs_a ? frame.take<PackedElement>(down * a_block) : nullptr;
  for (Index k = 0; k < a.cols; k += kernel.chunk) {
    const Index depth = std::min(kernel.chunk, a.cols - k), elements = elements_of(depth);
    const Factor<float> ak = a.block(0, k, a.rows, depth), bk = b.block(k, 0, depth, b.cols);
    ctx.parallel_for(panels + (packs_a ? down : 0), [&](Index i, Lane&) {
      if (i < panels) {
        const Index j = i * kernel.cols, width = std::min(kernel.cols, c.cols - j);
        kernel.pack_b(bk.block(0, j, depth, width).data, b.stride, b.transposed, width, depth, packed_b + j * elements,
                      b_sums == nullptr ? nullptr : b_sums + j);
      } else {
        const Index block = i - panels, r = block * kBlockRows, height = std::min(kBlockRows, c.rows - r);
        kernel.pack_a(ak.block(r, 0, height, depth).data, a.stride, a.transposed, height, c.rows - r, depth,
                      packed_a + block * a_block);
      }
    });
    ctx.parallel_for(down * across, [&](Index i, Lane&) {
      const Index block = i / across, r = block * kBlockRows, j = i % across * block_cols;
      GemmBlock t{};
      t.rows = std::min(kBlockRows, c.rows - r);
      t.cols = std::min(block_cols, c.cols - j);
      t.depth = elements;
      if (packs_a) {
        const LeftLayout layout = kernel.left(a.transposed, elements);
        t.a = packed_a + block * a_block;
        t.a_row = layout.row;
        t.a_step = layout.step;
        t.a_panel = layout.panel;
      } else {
        set_left(t, kernel, ak.block(r, 0, t.rows, depth));
      }
      t.b = packed_b + j * elements;
      t.b_panel = kernel.cols * elements;
      t.b_step = kernel.cols;
      set_base(t, c.block(r, j, t.rows, t.cols), into, bias == nullptr ? nullptr : bias + j, k == 0);
      kernel.block(t);
    });
  }
}

void blocked_tile_product(const GemmKernel& kernel, const Factor<float>& a, const Factor<float>& b, const Mat<float>& c,
                          Into into) {
  alignas(64) PackedElement panel[kTileChunk * kLargestPanel];
  for (Index k = 0; k < a.cols; k += kTileChunk) {
    const Index depth = std::min(kTileChunk, a.cols - k);
    GemmBlock t{};
    t.rows = c.rows;
    t.depth = depth;
    set_left(t, kernel, a.block(0, k, a.rows, depth));
    for (Index j = 0; j < c.cols; j += kernel.cols) {
      t.cols = std::min(kernel.cols, c.cols - j);
      const Factor<float> bj = b.block(k, j, depth, t.cols);
      if (b.transposed || t.cols % kernel.lanes != 0) {
        kernel.pack_b(bj.data, b.stride, b.transposed, t.cols, depth, panel, nullptr);
        t.b = panel;
        t.b_step = kernel.cols;
      } else {
        t.b = bj.data;
        t.b_step = b.stride;
      }
      set_base(t, c.block(0, j, c.rows, t.cols), into, nullptr, k == 0);
      kernel.block(t);
    }
  }
}

void float_product(const Context& ctx, const Factor<float>& a, const Factor<float>& b, const Mat<float>& c, Into into,
                   const float* bias, float* b_sums) {
  const GemmKernel* const kernel = ctx.precision == Precision::bf16 ? bf16_kernel() : fp32_kernel();
  if (kernel != nullptr) return blocked_product(*kernel, ctx, a, b, c, into, bias, b_sums);
  eigen_product(ctx, a, b, c, into, bias);
  if (b_sums != nullptr) add_column_sums<float>(ctx, {b.data, 1, b.rows, b.cols}, row_map(b_sums, b.cols));
}

void float_tile_product(const Factor<float>& a, const Factor<float>& b, const Mat<float>& c, Into into) {
  const GemmKernel* const kernel = fp32_kernel();
  if (kernel != nullptr) blocked_tile_product(*kernel, a, b, c, into);
  else eigen_tile_product(a, b, c, into);
}

Index float_panel_size(Index rows, Index cols) {
  const GemmKernel* const kernel = fp32_kernel();
  return kernel == nullptr ? 0 : blocks_of(cols, kernel->cols) * kernel->cols * rows;
}

void float_pack_panels(const Factor<float>& b, float* panels) {
  fp32_kernel()->pack_b(b.data, b.stride, b.transposed, b.cols, b.rows, panels, nullptr);
}

void float_panel_product(const Factor<float>& a, const float* panels, Index panel_rows, Index first, const Mat<float>& c,
                         Into into) {
  const GemmKernel& kernel = *fp32_kernel();
  GemmBlock t{};
  t.rows = c.rows;
  t.cols = c.cols;
  t.depth = a.cols;
  set_left(t, kernel, a);
  t.b = panels + first * kernel.cols;
  t.b_panel = kernel.cols * panel_rows;
  t.b_step = kernel.cols;
  set_base(t, c, into, nullptr, true);
  kernel.block(t);
}

}  // namespace megalith::detail

namespace megalith {

const char* product_library() { return detail::fp32_kernel() != nullptr ? detail::fp32_kernel()->name : "Eigen"; }

bool has_bf16_products() { return detail::bf16_kernel() != nullptr; }

}  // namespace megalith
