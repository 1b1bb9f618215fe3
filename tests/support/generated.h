// SPDX-License-Identifier: Apache-2.0
// Generation from a model that a test sees through.
#pragma once

#include <set>
#include <string>

#include "megalith/generate/generator.h"
#include "support/fake_model.h"
#include "support/forwarding_model.h"

namespace megalith::tests {

inline FakeModel made_model(Index length, Index unit) {
  FakeModel model(length, unit);
  model.init({4});
  return model;
}

inline std::string generated(Generator& generator, Index n) {
  std::string bytes;
  for (Index i = 0; i < n; ++i) bytes += static_cast<char>(generator.next());
  return bytes;
}

inline std::string with_prompt(const AnyModel& model, std::string_view prompt, Index n, const SamplingConfig& config = {}) {
  Generator generator(model, config, 1);
  generator.prompt(prompt);
  return std::string(prompt) + generated(generator, n);
}

/// Tells how many streams a state is made for.
struct ObservedModel final : ForwardingModel {
  explicit ObservedModel(bool batch_invariant)
      : ForwardingModel(std::make_unique<FakeModel>(made_model(16, 4))), own_summary(16, 4, 0, batch_invariant) {}
  const ModelSummary& summary() const override { return own_summary; }
  std::unique_ptr<AnyState> make_state(Index B, Index room) const override {
    batches.insert(B);
    return ForwardingModel::make_state(B, room);
  }
  FakeSummary own_summary;
  mutable std::set<Index> batches;
};

}  // namespace megalith::tests
