// SPDX-License-Identifier: Apache-2.0
// The cut of a model's parameters into pieces of about equal work, the same on any number of threads.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith {

/// Numbers [begin, begin + size) of one parameter.
struct ParameterChunk {
  std::size_t parameter = 0;
  Index begin = 0, size = 0;
};

class ParameterChunks {
 public:
  explicit ParameterChunks(std::span<const Parameter> parameters) {
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const Index size = parameters[p].tensor->size();
      for (Index begin = 0; begin < size; begin += kChunk) chunks_.push_back({p, begin, std::min(kChunk, size - begin)});
    }
  }

  Index count() const { return static_cast<Index>(chunks_.size()); }
  /// Calls f(chunk, number) for each chunk, on all threads of the context.
  template <class F>
  void parallel(const Context& ctx, F&& f) const {
    ctx.parallel_for(count(), [&](Index i, Arena&) { f(chunks_[static_cast<std::size_t>(i)], i); });
  }
  /// Calls f(piece) for pieces of the chunks that fit the L1 cache, so that several passes over one read memory once.
  template <class F>
  void parallel_pieces(const Context& ctx, F&& f) const {
    constexpr Index kPiece = 1024;
    parallel(ctx, [&](const ParameterChunk& chunk, Index) {
      for (Index begin = 0; begin < chunk.size; begin += kPiece)
        f(ParameterChunk{chunk.parameter, chunk.begin + begin, std::min(kPiece, chunk.size - begin)});
    });
  }
  /// A chunk's numbers as an Eigen row.
  static RowMap<float> view(Tensor<float>& tensor, const ParameterChunk& c) { return {tensor.data() + c.begin, c.size}; }

 private:
  static constexpr Index kChunk = 32 * 1024;  // 128 KiB: enough work for a task, and four of them fit the L2 cache
  std::vector<ParameterChunk> chunks_;
};

}  // namespace megalith
