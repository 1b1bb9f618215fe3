// SPDX-License-Identifier: Apache-2.0
// What of a config decides what the parameters mean.
#pragma once

#include "megalith/models/config.h"

namespace megalith {

/// The config with defaults filled in, and 0 or false for all that does not change the meaning of parameters: first values,
/// dropout, recomputation, the base of rotary positions where there are none, and the records, so that a run may start from
/// weights that learned another order of bytes. The length stays: it is the size of a table of learned positions.
ModelConfig structure_of(ModelConfig config);

/// Whether two models have the same structure, at whatever lengths.
bool same_structure(const ModelConfig& a, const ModelConfig& b);

}  // namespace megalith
