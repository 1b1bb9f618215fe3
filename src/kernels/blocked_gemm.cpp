// SPDX-License-Identifier: Apache-2.0
#include "blocked_gemm.h"

#include <algorithm>

#include "gemm_block.h"

namespace megalith::detail {
namespace {

/// Tasks for each thread, so that all end together.
constexpr Index kEnoughTasks = 2;
/// Columns of a right factor and rows of a left one that are laid out in one go: whole panels of every kernel.
constexpr Index kPackCols = 64, kPackRows = 96;

/// c = base + a b with few rows of a, b row-major, of whole registers of columns unless it is to be `packed`.
void range_of_few_rows(const GemmKernel& kernel, Arena& arena, const Operand<float>& a, const Operand<float>& b,
                       const Mat<float>& c, Into into, const float* bias, bool packed) {
  GemmBlock t{};
  t.rows = c.rows;
  t.cols = c.cols;
  for (Index k = 0; k < a.cols; k += kernel.chunk) {
    Frame frame(arena);
    t.depth = std::min(kernel.chunk, a.cols - k);
    set_left(t, kernel, a.block(0, k, a.rows, t.depth));
    t.b = b.block(k, 0, t.depth, t.cols).data;
    t.b_step = b.stride;
    t.b_panel = kernel.cols;
    if (packed) {
      PackedElement* const panel = frame.take<PackedElement>(rounded_up(t.cols, kernel.cols) * t.depth);
      kernel.pack_b(t.b, b.stride, false, t.cols, t.depth, panel, nullptr);
      t.b = panel;
      t.b_step = kernel.cols;
      t.b_panel = kernel.cols * t.depth;
    }
    set_base(t, c, into, bias, k == 0);
    kernel.block(t);
  }
}

/// c = base + a b with few rows of a, b row-major. A task is a range of columns, as long as can be: memory likes long pieces
/// of b's rows. The last columns, which do not fill a register, are laid out.
void product_of_few_rows(const GemmKernel& kernel, const Context& ctx, const Operand<float>& a, const Operand<float>& b,
                         const Mat<float>& c, Into into, const float* bias) {
  const Index panels = blocks_of(c.cols, kernel.cols), tasks = std::min<Index>(ctx.threads(), panels);
  ctx.parallel_for(tasks, [&](Index i, Arena& arena) {
    const Index begin = panels * i / tasks * kernel.cols, end = std::min(c.cols, panels * (i + 1) / tasks * kernel.cols);
    const Index whole = begin + (end - begin) / kernel.lanes * kernel.lanes;
    const auto multiply = [&](Index from, Index to, bool packed) {
      if (from < to)
        range_of_few_rows(kernel, arena, a, b.block(0, from, b.rows, to - from), c.block(0, from, c.rows, to - from), into,
                          bias == nullptr ? nullptr : bias + from, packed);
    };
    multiply(begin, whole, false);
    multiply(whole, end, true);
  });
}

/// c = base + a b on all threads. The longer side of c is cut into strips. Whoever computes a strip lays out its part of one
/// factor, which stays in the second cache; the other factor, laid out by all threads before, passes by.
class SharedProduct {
 public:
  SharedProduct(const GemmKernel& kernel, const Context& ctx, const Operand<float>& a, const Operand<float>& b,
                const Mat<float>& c, Into into, const float* bias, float* b_sums)
      : kernel_(kernel), ctx_(ctx), a_(a), b_(b), c_(c), into_(into), bias_(bias), b_sums_(b_sums) {
    const Index along = by_rows_ ? c.rows : c.cols, across = by_rows_ ? c.cols : c.rows;
    const Index widest = by_rows_ ? kernel.strip_rows : kernel.strip_cols, enough = kEnoughTasks * ctx.threads();
    // The side is cut into parts of whole panels, about equal and one for each thread if there are panels enough, and these
    // into strips. Where strips are too few for all threads they are cut into pieces, each of which lays out the strip's
    // factor again, and where those would be too short for that, strips get narrower.
    Index pieces = 1, width = widest;
    const auto tasks = [&] { return blocks_of(along, width) * pieces; };
    while (tasks() < enough && across >= 2 * pieces * kernel.short_piece) pieces *= 2;
    while (tasks() < enough && width > widest / 4) width /= 2;
    const Index panel = by_rows_ ? kernel.rows : kernel.cols;
    part_ = blocks_of(along, width) < ctx.threads() ? along : rounded_up(blocks_of(along, ctx.threads()), panel);
    strips_of_part_ = blocks_of(part_, width);
    strip_ = rounded_up(blocks_of(part_, strips_of_part_), panel);
    strips_ = blocks_of(along, part_) * strips_of_part_;
    const Index pack = by_rows_ ? kPackCols : kPackRows;
    piece_ = rounded_up(blocks_of(across, pieces), pack);
    pieces_ = blocks_of(across, piece_);
    packs_ = by_rows_ || packs_left_ ? blocks_of(across, pack) : 0;
  }

  void run() const {
    for (Index k = 0; k < a_.cols; k += kernel_.chunk) add_chunk(k);
  }

 private:
  /// A part of the sums over K, and the panels of the factor that passes by: packs of kPackCols columns or kPackRows rows.
  struct Chunk {
    Index k, depth, elements;
    LeftLayout left;
    Index pack;  // elements
    PackedElement* passing;
  };

  void add_chunk(Index k) const {
    Frame frame(ctx_.scratch());
    Chunk chunk{};
    chunk.k = k;
    chunk.depth = std::min(kernel_.chunk, a_.cols - k);
    chunk.elements = kernel_.elements(chunk.depth);
    chunk.left = kernel_.left(a_.transposed, chunk.elements);
    chunk.pack = by_rows_ ? right_size(chunk, kPackCols) : left_size(chunk, kPackRows);
    chunk.passing = frame.take<PackedElement>(packs_ * chunk.pack);
    ctx_.parallel_for(packs_, [&](Index i, Arena&) {
      PackedElement* const out = chunk.passing + i * chunk.pack;
      if (by_rows_) pack_right(chunk, i * kPackCols, std::min(kPackCols, c_.cols - i * kPackCols), b_sums_, out);
      else pack_left(chunk, i * kPackRows, std::min(kPackRows, c_.rows - i * kPackRows), out);
    });
    ctx_.parallel_for(strips_ * pieces_, [&](Index i, Arena& arena) {
      if (by_rows_) strip_of_rows(chunk, i / pieces_, i % pieces_, arena);
      else strip_of_cols(chunk, i / pieces_, i % pieces_, arena);
    });
  }

  /// Where a strip begins on the longer side of c, and how much of it there is; a part's last strips may be empty.
  Index begin_of(Index strip) const { return strip / strips_of_part_ * part_ + strip % strips_of_part_ * strip_; }
  Index size_of(Index strip) const {
    const Index end = std::min(by_rows_ ? c_.rows : c_.cols, (strip / strips_of_part_ + 1) * part_);
    return std::min(strip_, end - begin_of(strip));
  }

  void strip_of_rows(const Chunk& chunk, Index strip, Index piece, Arena& arena) const {
    const Index r = begin_of(strip), rows = size_of(strip), end = std::min((piece + 1) * piece_, c_.cols);
    if (rows <= 0) return;
    Frame frame(arena);
    PackedElement* const left = frame.take<PackedElement>(left_size(chunk, rows));
    if (packs_left_) pack_left(chunk, r, rows, left);
    for (Index j = piece * piece_; j < end; j += kernel_.pass_cols) {
      GemmBlock t = block_at(chunk, r, j, rows, std::min(kernel_.pass_cols, end - j));
      set_left_at(t, chunk, r, left);
      t.b = chunk.passing + j * chunk.elements;
      if (j + kernel_.pass_cols < end) set_next(t, chunk, chunk.passing + (j + kernel_.pass_cols) * chunk.elements);
      kernel_.block(t);
    }
  }

  void strip_of_cols(const Chunk& chunk, Index strip, Index piece, Arena& arena) const {
    const Index j = begin_of(strip), cols = size_of(strip), end = std::min((piece + 1) * piece_, c_.rows);
    if (cols <= 0) return;
    Frame frame(arena);
    PackedElement* const right = frame.take<PackedElement>(right_size(chunk, cols));
    pack_right(chunk, j, cols, piece == 0 ? b_sums_ : nullptr, right);
    const auto left = [&](Index r) {
      return chunk.passing + r / kPackRows * chunk.pack + r % kPackRows / kernel_.rows * chunk.left.panel;
    };
    for (Index r = piece * piece_; r < end; r += kernel_.pass_rows) {
      GemmBlock t = block_at(chunk, r, j, std::min(kernel_.pass_rows, end - r), cols);
      set_left_at(t, chunk, r, left(r));
      t.b = right;
      if (packs_left_ && r + kernel_.pass_rows < end) set_next(t, chunk, left(r + kernel_.pass_rows));
      kernel_.block(t);
    }
  }

  /// The block of the output at (r, j), whose factors are still to be told.
  GemmBlock block_at(const Chunk& chunk, Index r, Index j, Index rows, Index cols) const {
    GemmBlock t{};
    t.rows = rows;
    t.cols = cols;
    t.depth = chunk.elements;
    t.b_panel = right_size(chunk, kernel_.cols);
    t.b_step = kernel_.cols;
    set_base(t, c_.block(r, j, rows, cols), into_, bias_ == nullptr ? nullptr : bias_ + j, chunk.k == 0);
    return t;
  }
  /// Rows of the left factor from r on, which may lie packed.
  void set_left_at(GemmBlock& t, const Chunk& chunk, Index r, const PackedElement* packed) const {
    if (packs_left_) set_packed_left(t, chunk.left, packed);
    else set_left(t, kernel_, a_.block(r, chunk.k, t.rows, chunk.depth));
  }
  void set_next(GemmBlock& t, const Chunk& chunk, const PackedElement* next) const {
    t.next = next;
    t.next_size = (by_rows_ ? kernel_.pass_cols : kernel_.pass_rows) * chunk.elements;
  }

  Index left_size(const Chunk& chunk, Index rows) const {
    return packs_left_ ? blocks_of(rows, kernel_.rows) * chunk.left.panel + kernel_.lanes : 0;
  }
  Index right_size(const Chunk& chunk, Index cols) const { return rounded_up(cols, kernel_.cols) * chunk.elements; }
  void pack_left(const Chunk& chunk, Index r, Index rows, PackedElement* out) const {
    kernel_.pack_a(a_.block(r, chunk.k, rows, chunk.depth).data, a_.stride, a_.transposed, rows, c_.rows - r, chunk.depth,
                   out);
  }
  /// The sums of the columns are added to `sums`, unless that is null.
  void pack_right(const Chunk& chunk, Index j, Index cols, float* sums, PackedElement* out) const {
    kernel_.pack_b(b_.block(chunk.k, j, chunk.depth, cols).data, b_.stride, b_.transposed, cols, chunk.depth, out,
                   sums == nullptr ? nullptr : sums + j);
  }

  const GemmKernel& kernel_;
  const Context& ctx_;
  const Operand<float>&a_, &b_;
  const Mat<float>& c_;
  const Into into_;
  const float* const bias_;
  float* const b_sums_;
  const bool by_rows_ = c_.rows >= c_.cols, packs_left_ = a_.transposed || !kernel_.in_place();
  Index part_ = 0, strips_of_part_ = 0, strip_ = 0, strips_ = 0;  // of the longer side of c
  Index piece_ = 0, pieces_ = 0, packs_ = 0;                      // of the other
};

}  // namespace

void blocked_gemm(const GemmKernel& kernel, const Context& ctx, const Operand<float>& a, const Operand<float>& b,
                     const Mat<float>& c, Into into, const float* bias, float* b_sums) {
  if (c.rows == 0 || c.cols == 0) return;
  if (c.rows <= kFewRows && kernel.in_place() && !b.transposed && b_sums == nullptr)
    return product_of_few_rows(kernel, ctx, a, b, c, into, bias);
  SharedProduct(kernel, ctx, a, b, c, into, bias, b_sums).run();
}

}  // namespace megalith::detail
