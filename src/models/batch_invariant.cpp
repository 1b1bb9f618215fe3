// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/batch_invariant.h"

#include <algorithm>
#include <string_view>

#include "megalith/kernels/gemm.h"
#include "megalith/models/config_size.h"

namespace megalith {

bool batch_invariant(const ModelConfig& config) {
  constexpr Index kVector = 16;  // floats in the longest vector, and in the alignment of every buffer
  const auto whole_vectors = [](const ScaleConfig& scale) {
    return scale.stack.width % kVector == 0 && hidden_width(scale.stack) % kVector == 0 &&
           embedding_width(scale) * scale.unit % kVector == 0;
  };
  return std::string_view(gemm_backend()) != "Eigen" &&
         std::all_of(config.scales.begin(), config.scales.end(), whole_vectors);
}

}  // namespace megalith
