// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/training_memory.h"

namespace megalith {

TrainingMemory training_memory(const ModelSummary& model, Shape batch, bool average, int threads, double optimizer_bytes) {
  const double parameters = model.parameter_count(), weights = parameters * sizeof(float);
  return {.weights = weights,
          .gradient = weights,
          .moments = parameters * optimizer_bytes,
          .average = average ? weights : 0,
          .tape = model.tape_bytes(batch),
          .scratch = model.training_scratch_bytes(batch, threads)};
}

}  // namespace megalith
