// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/optimizer.h"

#include "megalith/train/adamw.h"
#include "megalith/train/train_config.h"

namespace megalith {

std::unique_ptr<Optimizer> make_optimizer(const TrainConfig& config, std::span<const Parameter> parameters) {
  return std::make_unique<AdamW>(parameters, config.adamw);
}

}  // namespace megalith
