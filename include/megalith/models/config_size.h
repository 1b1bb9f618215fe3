// SPDX-License-Identifier: Apache-2.0
// What a model of some config would hold, without making it: the paper's larger shapes fit no ordinary memory.
// models/flops.h has what it would cost, models/memory.h what training it takes.
#pragma once

#include <string>
#include <vector>

#include "megalith/models/config.h"

namespace megalith {

/// Parameters of one part of a model.
struct SizePart {
  std::string name;
  Index parameters = 0;
};

/// For each scale, its name before it where there are several: `embeddings` (byte table, pad, learned positions), `embedder`
/// where it has one, `stack`; the `condition` of each inner scale; the `head` where it is not tied to the byte table. The
/// config must be valid.
std::vector<SizePart> parameters_by_part(const ModelConfig& config);

/// Their sum: the number of parameters of a model of this config.
Index parameter_count(const ModelConfig& config);

/// The columns of a feed-forward's first matrix: SwiGLU has a gate beside the values.
inline Index up_width(const StackConfig& c) { return (c.activation == Activation::swiglu ? 2 : 1) * hidden_width(c); }

/// What reports put before the parts of a scale: "global ", "middle " or "local ", and nothing where there is only one.
std::string scale_prefix(const ModelConfig& config, std::size_t scale);
/// What reports call the matrix that conditions an inner scale: "condition", after its scale where there are several.
std::string condition_name(const ModelConfig& config, std::size_t scale);

}  // namespace megalith
