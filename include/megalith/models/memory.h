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

/// Bytes of an AnyState for B sequences: keys and values of the config's length, and the condition of unfinished patches.
double state_memory(const ModelConfig& config, Index B = 1);

/// Throws Error where that is more than the machine has: a config in a file of a few bytes may ask for any amount, and the
/// system may grant it and end the process later. `what` takes it, as in "a model of this config".
void check_memory(double bytes, const char* what);

}  // namespace megalith
