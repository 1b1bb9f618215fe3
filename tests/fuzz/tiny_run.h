// SPDX-License-Identifier: Apache-2.0
// A run as small as they come, which the checkpoint harness loads into and the seeds were saved from.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "../../src/train/run_config_json.h"
#include "../../src/train/run_state.h"

namespace megalith::fuzz {

/// Few parameters and few tensors, so that files are short: bytes at random then hit what is read, not numbers.
inline ScaleConfig tiny_scale(Index patch, Index width) {
  const TransformerConfig block{.heads = 1, .hidden = 1, .norm = NormKind::rms};
  const StackConfig stack{.width = width, .layers = 1, .positions = PositionKind::none, .bias = false, .block = block};
  return {.patch = patch, .embedding = 0, .first_input = FirstInput::pad, .stack = stack};
}

inline ModelConfig tiny_config() { return {.length = 8, .scales = {tiny_scale(1, 1)}}; }

/// The model of a run and what its state.safetensors holds.
struct TinyRun {
  std::unique_ptr<AnyModel> model = make_model(tiny_config());
  std::vector<Parameter> weights = model->parameters();
  AdamW optimiser{weights, {}};
  WeightAverage average{*model, 0.9};
  nlohmann::json settings = detail::result_settings(tiny_config(), {}, {{"train", "here"}, {"valid", nullptr}});
  detail::RunSize size{.bytes_per_step = TrainConfig().batch * tiny_config().length};

  detail::RunTensors tensors() { return {weights, optimiser, &average}; }
};

}  // namespace megalith::fuzz
