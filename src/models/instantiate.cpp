// SPDX-License-Identifier: Apache-2.0
// The float models, compiled once, and the choice between them at run time.
#include "megalith/core/check.h"
#include "megalith/models/config_size.h"
#include "megalith/models/decoders.h"
#include "megalith/models/decoder_model.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {

template struct TransformerBlock<float>;
template struct Stack<TransformerBlock<float>>;
template struct Flat<TransformerBlock<float>>;
template struct Patched<TransformerBlock<float>, Vanilla<float>>;
template struct Patched<TransformerBlock<float>, Megabyte<float>>;

static_assert(ByteDecoder<Vanilla<float>> && ByteDecoder<Megabyte<float>> && ByteDecoder<ThreeScale<float>>);

std::unique_ptr<AnyModel> make_model(const ModelConfig& config) {
  config.validate();
  const Index parameters = parameter_count(config);
  check_memory(text("a model of ", parameters, " parameters"), static_cast<double>(parameters) * sizeof(float));
  switch (config.scales.size()) {
    case 1:
      return std::make_unique<DecoderModel<Vanilla<float>>>(config);
    case 2:
      return std::make_unique<DecoderModel<Megabyte<float>>>(config);
    case 3:
      return std::make_unique<DecoderModel<ThreeScale<float>>>(config);
    default:
      throw Error(text("a model has one to three scales, not ", config.scales.size()));
  }
}

}  // namespace megalith
