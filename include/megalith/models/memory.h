// SPDX-License-Identifier: Apache-2.0
// The memory that a model of some config would take, without making it.
#pragma once

#include "megalith/models/config.h"

namespace megalith {

/// Bytes of memory in training by the library's trainer, in float.
struct TrainingMemory {
  double weights = 0;
  double gradient = 0;
  double moments = 0;  // of AdamW: two
  double average = 0;  // of the weights; 0 without
  double tape = 0;     // activations that backward needs
  double scratch = 0;  // temporaries at their highest, about: products on some machines and threads take a little more

  double total() const { return weights + gradient + moments + average + tape + scratch; }
};

/// For batches (B,T) of a valid config, T a multiple of its units, trained on so many threads.
TrainingMemory training_memory(const ModelConfig& config, Shape batch, bool average = false, int threads = 2);

/// Bytes that scoring (B,T) takes at least beside the weights.
double scoring_memory(const ModelConfig& config, Shape batch);

/// Bytes of an AnyState for B sequences: keys and values of the config's length, and the condition of unfinished patches.
double state_memory(const ModelConfig& config, Index B = 1);

}  // namespace megalith
