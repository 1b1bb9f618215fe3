// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/training_memory.h"

#include <algorithm>

#include "megalith/models/window_scorer.h"
#include "megalith/runtime/scratch_memory.h"

namespace megalith {

TrainingMemory training_memory(const ModelSummary& model, Shape batch, bool average, int threads, double optimizer_bytes) {
  const double parameters = model.parameter_count(), weights = parameters * sizeof(float);
  const Index scored = windows_at_once(batch.T);
  // Validation reads the context of windows of which training predicts the ends.
  const double context = model.predicted(batch.T) < batch.T ? model.state_bytes(scored, batch.T) : 0;
  const double scratch = std::max(model.training_scratch_bytes(batch, threads),
                                  context + model.scoring_scratch_bytes({scored, batch.T}, threads));
  return {.weights = weights,
          .gradient = weights,
          .moments = parameters * optimizer_bytes,
          .average = average ? weights : 0,
          .tape = model.tape_bytes(batch),
          .scratch = touched_by_scratch(scratch)};
}

}  // namespace megalith
