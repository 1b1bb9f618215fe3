// SPDX-License-Identifier: Apache-2.0
// What a model of some config would weigh and cost, without making it: the paper's larger shapes fit no ordinary memory.
// A test holds both against models that were made.
#pragma once

#include "megalith/kernels/attention_input.h"
#include "megalith/models/config.h"

namespace megalith {

namespace detail {

inline Index norm_size(NormKind kind, Index channels) { return kind == NormKind::layer ? 2 * channels : channels; }

/// The columns of a feed-forward's first matrix: SwiGLU has a gate beside the values.
inline Index up_width(const StackConfig& c) { return (c.activation == Activation::swiglu ? 2 : 1) * hidden_width(c); }

inline Index stack_size(const StackConfig& c) {
  const Index C = c.width, F = hidden_width(c), up = up_width(c);
  const Index weights = C * 3 * C + C * C + C * up + F * C;
  const Index biases = c.bias ? 3 * C + C + up + C : 0;
  const Index qk_gains = c.qk_norm ? 2 * (C / c.heads) : 0;
  return c.layers * (weights + biases + qk_gains + 2 * norm_size(c.norm, C)) + norm_size(c.norm, C);
}

/// Of a stack that reads `sequences` independent sequences of K positions.
inline double stack_flops(const StackConfig& c, double sequences, Index K) {
  const double C = static_cast<double>(c.width), F = static_cast<double>(hidden_width(c));
  const double per_position = 2 * (C * 3 * C + C * C + C * static_cast<double>(up_width(c)) + F * C);
  return static_cast<double>(c.layers) * sequences *
         (static_cast<double>(K) * per_position + attention_pairs(K, c.window) * 4 * C);
}

}  // namespace detail

/// The number of parameters of a model of this config, which must be valid.
inline Index parameter_count(const ModelConfig& config) {
  constexpr Index V = kByteValues;
  Index n = 0;
  for (std::size_t i = 0; i < config.scales.size(); ++i) {
    const ScaleConfig& scale = config.scales[i];
    const Index C = scale.stack.width, T = window_bytes(config, i);
    const bool learned = scale.stack.positions == PositionKind::learned;
    n += detail::stack_size(scale.stack);
    if (i + 1 == config.scales.size()) {
      n += V * C + C + (learned ? T * C : 0) + (config.tied ? 0 : C * V);
      continue;
    }
    const Index P = scale.unit, E = embedding_width(scale);
    n += V * E + P * E + (learned ? T * E : 0);
    if (has_patch_embedder(scale)) n += 2 * P * E * C + (scale.stack.bias ? C + P * E : 0);
    const ScaleConfig& inner = config.scales[i + 1];
    n += inner.unit * E * inner.stack.width;  // the condition
  }
  return n;
}

/// Of matrix products in one forward over (B,T), a multiply-add counting two; equal to AnyModel::flops().
inline double forward_flops(const ModelConfig& config, Shape shape) {
  const double bytes = static_cast<double>(shape.rows());
  double flops = 0;
  for (std::size_t i = 0; i < config.scales.size(); ++i) {
    const ScaleConfig& scale = config.scales[i];
    const Index T = i == 0 ? shape.T : window_bytes(config, i);
    const double C = static_cast<double>(scale.stack.width), units = bytes / static_cast<double>(scale.unit);
    flops += detail::stack_flops(scale.stack, bytes / static_cast<double>(T), T / scale.unit);
    if (i + 1 == config.scales.size()) {
      flops += 2 * bytes * C * static_cast<double>(kByteValues);
      continue;
    }
    const double E = static_cast<double>(embedding_width(scale));
    if (has_patch_embedder(scale)) flops += 2 * units * 2 * static_cast<double>(scale.unit) * E * C;
    flops += 2 * bytes * E * static_cast<double>(config.scales[i + 1].stack.width);  // T/U rows of U*E numbers
  }
  return flops;
}

}  // namespace megalith
