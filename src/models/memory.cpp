// SPDX-License-Identifier: Apache-2.0
// Follows the Tape, the State and the frames of flat.h, patched.h and the layers below them; a test holds it against theirs.
#include "megalith/models/memory.h"

#include <algorithm>

#include "megalith/core/check.h"
#include "megalith/models/config_size.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {
namespace {

constexpr Index kTileBytes = 1024;                          // that an inner decoder handles at once
constexpr Index kHiddenTileRows = 1024, kLogitRows = 2048;  // that a feed-forward layer and a head handle at once

/// A count of numbers: 64 bits do not hold what the widest layers have over the longest window.
using Count = __int128;

/// Numbers that the norm of a row leaves on the tape.
Index norm_tape(const StackConfig& c) { return c.norm == NormKind::layer ? 2 : 1; }

/// Numbers on the tape of a stack over `rows` positions.
Count stack_tape(const StackConfig& c, Count rows) {
  const Index C = c.width;
  const Index always = 2 * norm_tape(c) + C + c.heads + C;  // norms, attention's output and sums, the block's input
  const Index kept = 3 * C + (c.qk_norm ? 2 * C : 0) + up_width(c) + C;  // projections, hidden layer, between the halves
  return rows * (c.layers * (always + (c.recompute ? 0 : kept)) + norm_tape(c));
}

/// Numbers of scratch at the height of a stack's forward or backward over (B,T) positions.
Count stack_scratch(const StackConfig& c, Shape positions, int threads) {
  const Count rows = positions.rows();
  const Index D = c.width / c.heads;
  // Attention in tiles lays out the factors of a head in panels of 64 columns: keys and values of all heads in forward, and
  // in backward queries and gradients of the heads that threads have in hand.
  const Index panels = positions.T > 16 ? (D + 63) / 64 * 64 : 0;
  const Count packed_forward = panels > 0 ? rows * c.heads * (D + panels) : 0;
  const Count packed_backward = Count{2} * positions.T * panels * std::min<Index>(threads, positions.B * c.heads);
  const Index C = c.width;
  const Count tile = std::min<Count>(rows, kHiddenTileRows);
  const Index gradients = 2 * C, normed = C, masked = c.dropout > 0 ? C : 0;
  const Index attention = 3 * C + (c.recompute ? 3 * C + (c.qk_norm ? 2 * C : 0) : 0);
  const Index hidden = 2 * hidden_width(c) + (c.recompute ? 2 : 1) * up_width(c);
  const Count backward = rows * (gradients + normed + masked) +
                         std::max(rows * attention + packed_backward, tile * hidden + (c.recompute ? rows * C : 0));
  const Count forward = rows * (normed + (c.recompute ? C + 3 * C + (c.qk_norm ? 2 * C : 0) : 0)) + packed_forward;
  return std::max(forward, backward);
}

/// Numbers of a decoder, from `scale` of a config on.
struct Numbers {
  Count tape = 0, scratch = 0;
};
Numbers decoder_numbers(const ModelConfig& config, std::size_t scale, Shape bytes, int threads) {
  const ScaleConfig& c = config.scales[scale];
  const Count rows = bytes.rows() / c.unit;
  const Index C = c.stack.width;
  if (scale + 1 == config.scales.size())
    return {stack_tape(c.stack, rows), 4 * rows * C + std::max(stack_scratch(c.stack, {bytes.B, bytes.T / c.unit}, threads),
                                                               std::min<Count>(rows, kLogitRows) * kByteValues)};

  const Index tile = static_cast<Index>(std::clamp<Count>(kTileBytes / c.unit, 1, rows));  // patches
  const Numbers inner = decoder_numbers(config, scale + 1, {tile, c.unit}, threads);
  const ScaleConfig& inner_scale = config.scales[scale + 1];
  const Count conditions = Count{2} * tile * (c.unit / inner_scale.unit) * inner_scale.stack.width;
  const Count raw = has_patch_embedder(c) ? rows * c.unit * embedding_width(c) : 0;
  const Index slots = has_patch_embedder(c) ? 2 * tile * c.unit * embedding_width(c) : 0;
  return {
      stack_tape(c.stack, rows) + inner.tape,
      3 * rows * C + raw +
          std::max(raw + stack_scratch(c.stack, {bytes.B, bytes.T / c.unit}, threads), conditions + slots + inner.scratch)};
}

double bytes_of(Count numbers) { return static_cast<double>(numbers) * sizeof(float); }

}  // namespace

TrainingMemory training_memory(const ModelConfig& config, Shape batch, bool average, int threads) {
  const double weights = bytes_of(parameter_count(config));
  const Numbers numbers = decoder_numbers(config, 0, batch, threads);
  return {.weights = weights,
          .gradient = weights,
          .moments = 2 * weights,
          .average = average ? weights : 0,
          .tape = bytes_of(numbers.tape),
          .scratch = bytes_of(numbers.scratch)};
}

double state_memory(const ModelConfig& config, Index B) {
  Count numbers = 0;
  for (std::size_t i = 0; i < config.scales.size(); ++i) {
    const ScaleConfig& scale = config.scales[i];
    const Index positions = (window_bytes(config, i) + scale.unit - 1) / scale.unit;
    const Index kept = scale.stack.window > 0 ? std::min(positions, 2 * scale.stack.window) : positions;
    numbers += Count{2} * B * kept * scale.stack.layers * scale.stack.width;
    if (i + 1 == config.scales.size()) continue;
    const ScaleConfig& inner = config.scales[i + 1];
    numbers += Count{B} * (scale.unit / inner.unit) * inner.stack.width;
  }
  return bytes_of(numbers);
}

void check_memory(double bytes, const char* what) {
  const double there = machine_memory();
  check(bytes <= there, what, " takes ", bytes * 1e-9, " GB of memory, and this machine has ", there * 1e-9,
        "; take a smaller model or a shorter length");
}

}  // namespace megalith
