// SPDX-License-Identifier: Apache-2.0
#include "blocked_gemm.h"

#include <algorithm>

#include "gemm_block.h"

namespace megalith::detail {
namespace {

/// Tasks for each thread at least, so that all end at about the same time.
constexpr Index kMinTasksPerThread = 2;
/// Columns of b, or rows of a, that one task packs: whole panels of every kernel.
constexpr Index kPackCols = 64, kPackRows = 96;

/// c = base + a b with few rows of a and a row-major b. Unless b is to be `packed`, c.cols is a multiple of kernel.lanes.
void multiply_thin_range(const GemmKernel& kernel, Arena& arena, const Operand<float>& a, const Operand<float>& b,
                         const Mat<float>& c, Into into, const float* bias, bool packed) {
  GemmBlock t{};
  t.rows = c.rows;
  t.cols = c.cols;
  for (Index k = 0; k < a.cols; k += kernel.kc) {
    Frame frame(arena);
    t.depth = std::min(kernel.kc, a.cols - k);
    set_left(t, kernel, a.block(0, k, a.rows, t.depth));
    t.b = b.block(k, 0, t.depth, t.cols).data;
    t.b_step = b.stride;
    t.b_panel = kernel.panel_cols;
    if (packed) {
      PackedElement* const panel = frame.take<PackedElement>(rounded_up(t.cols, kernel.panel_cols) * t.depth);
      kernel.pack_b(t.b, b.stride, false, t.cols, t.depth, panel, nullptr);
      t.b = panel;
      t.b_step = kernel.panel_cols;
      t.b_panel = kernel.panel_cols * t.depth;
    }
    set_base(t, c, into, bias, k == 0);
    kernel.block(t);
  }
}

/// c = base + a b with few rows of a and a row-major b, read in place. A task is a range of columns, as long as can be:
/// memory is fastest where rows of b are read in long runs. The last columns, which do not fill a register, are packed.
void thin_gemm(const GemmKernel& kernel, const Context& ctx, const Operand<float>& a, const Operand<float>& b,
               const Mat<float>& c, Into into, const float* bias) {
  const Index panels = blocks_of(c.cols, kernel.panel_cols), tasks = std::min<Index>(ctx.threads(), panels);
  ctx.parallel_for(tasks, [&](Index i, Arena& arena) {
    const Index begin = panels * i / tasks * kernel.panel_cols;
    const Index end = std::min(c.cols, panels * (i + 1) / tasks * kernel.panel_cols);
    const Index whole = begin + (end - begin) / kernel.lanes * kernel.lanes;
    const auto multiply = [&](Index from, Index to, bool packed) {
      if (from < to)
        multiply_thin_range(kernel, arena, a, b.block(0, from, b.rows, to - from), c.block(0, from, c.rows, to - from), into,
                            bias == nullptr ? nullptr : bias + from, packed);
    };
    multiply(begin, whole, false);
    multiply(whole, end, true);
  });
}

/// c = base + a b on all threads. The longer side of c is cut into blocks of mc rows or nc columns at most. The thread that
/// computes a block packs its part of one operand, which stays in L2, and streams the other operand past it, which all
/// threads have packed before. (A left operand that the kernel reads in place is packed in neither case.)
class BlockedGemm {
 public:
  BlockedGemm(const GemmKernel& kernel, const Context& ctx, const Operand<float>& a, const Operand<float>& b,
              const Mat<float>& c, Into into, const float* bias, float* b_sums)
      : kernel_(kernel), ctx_(ctx), a_(a), b_(b), c_(c), into_(into), bias_(bias), b_sums_(b_sums) {
    const Index along = by_rows_ ? c.rows : c.cols, across = by_rows_ ? c.cols : c.rows;
    const Index max_size = by_rows_ ? kernel.mc : kernel.nc, min_tasks = kMinTasksPerThread * ctx.threads();
    // The longer side is cut into parts of whole panels, about equal and one for each thread if there are enough panels, and
    // these into blocks. Where there are fewer blocks than min_tasks, the shorter side is cut into spans, with a task for
    // each block and span, which packs the block's operand again; where spans would be too short for that, blocks get
    // smaller.
    Index spans = 1, size = max_size;
    const auto tasks = [&] { return blocks_of(along, size) * spans; };
    while (tasks() < min_tasks && across >= 2 * spans * kernel.min_streamed) spans *= 2;
    while (tasks() < min_tasks && size > max_size / 4) size /= 2;
    const Index panel = by_rows_ ? kernel.panel_rows : kernel.panel_cols;
    part_size_ = blocks_of(along, size) < ctx.threads() ? along : rounded_up(blocks_of(along, ctx.threads()), panel);
    blocks_per_part_ = blocks_of(part_size_, size);
    block_size_ = rounded_up(blocks_of(part_size_, blocks_per_part_), panel);
    blocks_ = blocks_of(along, part_size_) * blocks_per_part_;
    const Index pack_size = by_rows_ ? kPackCols : kPackRows;
    span_size_ = rounded_up(blocks_of(across, spans), pack_size);
    spans_ = blocks_of(across, span_size_);
    pack_tasks_ = by_rows_ || pack_left_ ? blocks_of(across, pack_size) : 0;
  }

  void run() const {
    for (Index k = 0; k < a_.cols; k += kernel_.kc) add_depth_block(k);
  }

 private:
  /// A block of the depth, and the streamed operand's panels of it.
  struct DepthBlock {
    Index k, depth, elements;
    LeftLayout left;
    Index pack_elements;  // from one packing task, of kPackCols columns or kPackRows rows, to the next
    PackedElement* streamed;
  };

  void add_depth_block(Index k) const {
    Frame frame(ctx_.scratch());
    DepthBlock d{};
    d.k = k;
    d.depth = std::min(kernel_.kc, a_.cols - k);
    d.elements = kernel_.elements(d.depth);
    d.left = kernel_.left(a_.transposed, d.elements);
    d.pack_elements = by_rows_ ? right_size(d, kPackCols) : left_size(d, kPackRows);
    d.streamed = frame.take<PackedElement>(pack_tasks_ * d.pack_elements);
    ctx_.parallel_for(pack_tasks_, [&](Index i, Arena&) {
      PackedElement* const out = d.streamed + i * d.pack_elements;
      if (by_rows_) pack_right(d, i * kPackCols, std::min(kPackCols, c_.cols - i * kPackCols), b_sums_, out);
      else pack_left(d, i * kPackRows, std::min(kPackRows, c_.rows - i * kPackRows), out);
    });
    ctx_.parallel_for(blocks_ * spans_, [&](Index i, Arena& arena) {
      if (by_rows_) block_of_rows(d, i / spans_, i % spans_, arena);
      else block_of_cols(d, i / spans_, i % spans_, arena);
    });
  }

  /// Where block i begins on the longer side of c, and its size; the last blocks of a part may be empty.
  Index begin_of(Index i) const { return i / blocks_per_part_ * part_size_ + i % blocks_per_part_ * block_size_; }
  Index size_of(Index i) const {
    const Index end = std::min(by_rows_ ? c_.rows : c_.cols, (i / blocks_per_part_ + 1) * part_size_);
    return std::min(block_size_, end - begin_of(i));
  }

  /// Rows of a stay in L2, a span of the columns of b is streamed.
  void block_of_rows(const DepthBlock& d, Index block, Index span, Arena& arena) const {
    const Index r = begin_of(block), rows = size_of(block), end = std::min((span + 1) * span_size_, c_.cols);
    if (rows <= 0) return;
    Frame frame(arena);
    PackedElement* const left = frame.take<PackedElement>(left_size(d, rows));
    if (pack_left_) pack_left(d, r, rows, left);
    for (Index j = span * span_size_; j < end; j += kernel_.streamed_cols) {
      GemmBlock t = output_block(d, r, j, rows, std::min(kernel_.streamed_cols, end - j));
      set_left_at(t, d, r, left);
      t.b = d.streamed + j * d.elements;
      if (j + kernel_.streamed_cols < end) set_prefetch(t, d, d.streamed + (j + kernel_.streamed_cols) * d.elements);
      kernel_.block(t);
    }
  }

  /// Columns of b stay in L2, a span of the rows of a is streamed.
  void block_of_cols(const DepthBlock& d, Index block, Index span, Arena& arena) const {
    const Index j = begin_of(block), cols = size_of(block), end = std::min((span + 1) * span_size_, c_.rows);
    if (cols <= 0) return;
    Frame frame(arena);
    PackedElement* const right = frame.take<PackedElement>(right_size(d, cols));
    pack_right(d, j, cols, span == 0 ? b_sums_ : nullptr, right);
    const auto left = [&](Index r) {
      return d.streamed + r / kPackRows * d.pack_elements + r % kPackRows / kernel_.panel_rows * d.left.panel;
    };
    for (Index r = span * span_size_; r < end; r += kernel_.streamed_rows) {
      GemmBlock t = output_block(d, r, j, std::min(kernel_.streamed_rows, end - r), cols);
      set_left_at(t, d, r, left(r));
      t.b = right;
      if (pack_left_ && r + kernel_.streamed_rows < end) set_prefetch(t, d, left(r + kernel_.streamed_rows));
      kernel_.block(t);
    }
  }

  /// The block of the output at (r, j), without its operands.
  GemmBlock output_block(const DepthBlock& d, Index r, Index j, Index rows, Index cols) const {
    GemmBlock t{};
    t.rows = rows;
    t.cols = cols;
    t.depth = d.elements;
    t.b_panel = right_size(d, kernel_.panel_cols);
    t.b_step = kernel_.panel_cols;
    set_base(t, c_.block(r, j, rows, cols), into_, bias_ == nullptr ? nullptr : bias_ + j, d.k == 0);
    return t;
  }
  /// The left operand's rows from r on: `packed`, or in place where the left operand is not packed.
  void set_left_at(GemmBlock& t, const DepthBlock& d, Index r, const PackedElement* packed) const {
    if (pack_left_) set_packed_left(t, d.left, packed);
    else set_left(t, kernel_, a_.block(r, d.k, t.rows, d.depth));
  }
  void set_prefetch(GemmBlock& t, const DepthBlock& d, const PackedElement* next) const {
    t.prefetch = next;
    t.prefetch_size = (by_rows_ ? kernel_.streamed_cols : kernel_.streamed_rows) * d.elements;
  }

  Index left_size(const DepthBlock& d, Index rows) const {
    return pack_left_ ? blocks_of(rows, kernel_.panel_rows) * d.left.panel + kernel_.lanes : 0;
  }
  Index right_size(const DepthBlock& d, Index cols) const { return rounded_up(cols, kernel_.panel_cols) * d.elements; }
  void pack_left(const DepthBlock& d, Index r, Index rows, PackedElement* out) const {
    kernel_.pack_a(a_.block(r, d.k, rows, d.depth).data, a_.stride, a_.transposed, rows, c_.rows - r, d.depth, out);
  }
  /// The sums of the columns are added to `sums`, unless that is null.
  void pack_right(const DepthBlock& d, Index j, Index cols, float* sums, PackedElement* out) const {
    kernel_.pack_b(b_.block(d.k, j, d.depth, cols).data, b_.stride, b_.transposed, cols, d.depth, out,
                   sums == nullptr ? nullptr : sums + j);
  }

  const GemmKernel& kernel_;
  const Context& ctx_;
  const Operand<float>&a_, &b_;
  const Mat<float>& c_;
  const Into into_;
  const float* const bias_;
  float* const b_sums_;
  const bool by_rows_ = c_.rows >= c_.cols, pack_left_ = a_.transposed || !kernel_.in_place();
  Index part_size_ = 0, blocks_per_part_ = 0, block_size_ = 0, blocks_ = 0;  // of the longer side of c
  Index span_size_ = 0, spans_ = 0, pack_tasks_ = 0;                         // of the shorter side
};

}  // namespace

double blocked_gemm_scratch(const GemmKernel& kernel, Index rows, Index cols, Index depth, bool left_transposed,
                            int threads) {
  if (rows <= kMaxThinRows && kernel.in_place()) return 0;
  const bool by_rows = rows >= cols, packs_left = left_transposed || !kernel.in_place();
  const double elements = static_cast<double>(kernel.elements(std::min(kernel.kc, depth)));
  const Index streamed = by_rows ? rounded_up(cols, kPackCols) : packs_left ? rounded_up(rows, kPackRows) : 0;
  const Index own = by_rows ? (packs_left ? std::min(kernel.mc, rows) : 0) : std::min(kernel.nc, cols);
  return elements * static_cast<double>(streamed + threads * own);
}

void blocked_gemm(const GemmKernel& kernel, const Context& ctx, const Operand<float>& a, const Operand<float>& b,
                  const Mat<float>& c, Into into, const float* bias, float* b_sums) {
  if (c.rows == 0 || c.cols == 0) return;
  if (c.rows <= kMaxThinRows && kernel.in_place() && !b.transposed && b_sums == nullptr)
    return thin_gemm(kernel, ctx, a, b, c, into, bias);
  BlockedGemm(kernel, ctx, a, b, c, into, bias, b_sums).run();
}

}  // namespace megalith::detail
