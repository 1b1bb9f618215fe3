// SPDX-License-Identifier: Apache-2.0
// Follows the Tape, the State and the frames of flat.h, patched.h and the layers below them; a test holds it against theirs.
#include "megalith/models/memory.h"

#include <algorithm>

#include "megalith/models/config_size.h"

namespace megalith {
namespace {

constexpr Index kTileBytes = 1024;                          // that an inner decoder handles at once
constexpr Index kHiddenTileRows = 1024, kLogitRows = 2048;  // that a feed-forward layer and a head handle at once

/// Numbers that the norm of a row leaves on the tape.
Index norm_tape(const StackConfig& c) { return c.norm == NormKind::layer ? 2 : 1; }

/// Numbers on the tape of a stack over `rows` positions. Counts of numbers are double: those of an absurd config fit no
/// integer.
double stack_tape(const StackConfig& c, double rows) {
  const Index C = c.width;
  const Index always = 2 * norm_tape(c) + C + c.heads + C;  // norms, attention's output and sums, the block's input
  const Index kept = 3 * C + (c.qk_norm ? 2 * C : 0) + up_width(c) + C;  // projections, hidden layer, between the halves
  return rows * static_cast<double>(c.layers * (always + (c.recompute ? 0 : kept)) + norm_tape(c));
}

Index whole(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

/// Numbers that attention in tiles lays out for each position and head: of keys and values in forward, and of queries and of
/// gradients of what they gave in backward, twice where AMX multiplies long sequences in three parts of half a number each.
Index packed_forward(Index D, Index T) {
  if (T <= 16) return 0;
  const Index plain = D + whole(D, 64), parts = 3 * (whole(D, 32) + whole(D, 16)) / 2;
  return T < 512 ? plain : std::max(plain, parts);
}
Index packed_backward(Index D, Index T) {
  if (T <= 16) return 0;
  const Index plain = 2 * whole(D, 64), parts = 3 * (whole(D, 32) + whole(D, 16));
  return T < 512 ? plain : std::max(plain, parts);
}

/// Numbers of scratch at the height of a stack's forward over (B,T) positions; without a tape, what that would hold of one
/// layer is scratch.
double stack_forward(const StackConfig& c, double rows, Shape positions, int threads, bool tape) {
  // Of the heads that threads have in hand, or of all where those are few.
  const Index heads = positions.B * c.heads, at_once = heads >= 4 * threads ? threads : heads;
  const double packed = static_cast<double>(at_once * positions.T * packed_forward(c.width / c.heads, positions.T));
  const Index C = c.width, normed = C, kept = C + 3 * C + (c.qk_norm ? 2 * C : 0);
  return rows * static_cast<double>(normed + (tape && !c.recompute ? 0 : kept)) + packed;
}

/// The same of its backward.
double stack_backward(const StackConfig& c, double rows, Shape positions, int threads) {
  // Of the heads that threads have in hand.
  const double packed = static_cast<double>(positions.T * packed_backward(c.width / c.heads, positions.T)) *
                        static_cast<double>(std::min<Index>(threads, positions.B * c.heads));
  const Index C = c.width, gradients = 2 * C, normed = C, masked = c.dropout > 0 ? C : 0;
  const Index attention = 3 * C + (c.recompute ? 3 * C + (c.qk_norm ? 2 * C : 0) : 0);
  const Index hidden = 2 * hidden_width(c) + (c.recompute ? 2 : 1) * up_width(c);
  const double tile = std::min(rows, double{kHiddenTileRows}), again = c.recompute ? rows * static_cast<double>(C) : 0;
  return rows * static_cast<double>(gradients + normed + masked) +
         std::max(rows * static_cast<double>(attention) + packed, tile * static_cast<double>(hidden) + again);
}

/// Numbers of a decoder in training, and of scratch in scoring.
struct Numbers {
  double tape = 0, scratch = 0, scoring = 0;
};

/// From `scale` of a config on.
Numbers decoder_numbers(const ModelConfig& config, std::size_t scale, Shape bytes, int threads) {
  const ScaleConfig& c = config.scales[scale];
  const Shape positions{bytes.B, bytes.T / c.unit};
  const double rows = static_cast<double>(bytes.B) * static_cast<double>(positions.T),
               C = static_cast<double>(c.stack.width);
  const double tape = stack_tape(c.stack, rows), scoring = stack_forward(c.stack, rows, positions, threads, false);
  const double training =
      std::max(stack_forward(c.stack, rows, positions, threads, true), stack_backward(c.stack, rows, positions, threads));
  if (scale + 1 == config.scales.size()) {
    const double logits = std::min(rows, double{kLogitRows}) * kByteValues;
    return {tape, 4 * rows * C + std::max(training, logits), 2 * rows * C + std::max(scoring, logits)};
  }
  const Index tile =
      static_cast<Index>(std::clamp(static_cast<double>(kTileBytes / c.unit), 1.0, std::max(rows, 1.0)));  // patches
  const Numbers inner = decoder_numbers(config, scale + 1, {tile, c.unit}, threads);
  const ScaleConfig& inner_scale = config.scales[scale + 1];
  const double conditions = 2 * static_cast<double>(tile * (c.unit / inner_scale.unit) * inner_scale.stack.width);
  const double unit_numbers = has_patch_embedder(c) ? static_cast<double>(c.unit * embedding_width(c)) : 0;
  const double raw = rows * unit_numbers, slots = 2 * static_cast<double>(tile) * unit_numbers;
  return {tape + inner.tape, 3 * rows * C + raw + std::max(raw + training, conditions + slots + inner.scratch),
          2 * rows * C + std::max(raw + scoring, conditions / 2 + slots / 2 + inner.scoring)};
}

double bytes_of(double numbers) { return numbers * sizeof(float); }

}  // namespace

TrainingMemory training_memory(const ModelConfig& config, Shape batch, bool average, int threads) {
  const double weights = bytes_of(static_cast<double>(parameter_count(config)));
  const Numbers numbers = decoder_numbers(config, 0, batch, threads);
  return {.weights = weights,
          .gradient = weights,
          .moments = 2 * weights,
          .average = average ? weights : 0,
          .tape = bytes_of(numbers.tape),
          .scratch = bytes_of(numbers.scratch)};
}

double scoring_memory(const ModelConfig& config, Shape batch) {
  return bytes_of(decoder_numbers(config, 0, batch, 1).scoring);
}

double state_memory(const ModelConfig& config, Index B) {
  double numbers = 0;
  for (std::size_t i = 0; i < config.scales.size(); ++i) {
    const ScaleConfig& scale = config.scales[i];
    const Index positions = (window_bytes(config, i) + scale.unit - 1) / scale.unit;
    const Index kept = scale.stack.window > 0 ? std::min(positions, 2 * scale.stack.window) : positions;
    numbers += static_cast<double>(scale.stack.layers * B * 2 * scale.stack.width) * static_cast<double>(kept);
    if (i + 1 == config.scales.size()) continue;
    const ScaleConfig& inner = config.scales[i + 1];
    numbers += static_cast<double>(B * (scale.unit / inner.unit) * inner.stack.width);
  }
  return bytes_of(numbers);
}

}  // namespace megalith
