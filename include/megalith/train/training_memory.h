// SPDX-License-Identifier: Apache-2.0
// The memory that training a model takes.
#pragma once

#include "megalith/models/model_summary.h"

namespace megalith {

/// Bytes of memory in training by the library's trainer, in float.
struct TrainingMemory {
  double weights = 0;
  double gradient = 0;
  double moments = 0;  // of the optimiser
  double average = 0;  // of the weights; 0 without
  double tape = 0;     // activations that backward needs
  double scratch = 0;  // temporaries at their highest, about: of a step, or of a validation

  double total() const { return weights + gradient + moments + average + tape + scratch; }
};

/// For batches (B,T), T a multiple of the model's unit, trained on `threads` threads by an optimiser that keeps
/// `optimizer_bytes` for each parameter (Optimizer::bytes_per_parameter; AdamW keeps 8).
TrainingMemory training_memory(const ModelSummary& model, Shape batch, bool average, int threads, double optimizer_bytes);

}  // namespace megalith
