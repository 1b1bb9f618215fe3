// SPDX-License-Identifier: Apache-2.0
// A model that is another one, for tests in which a model does a single thing otherwise.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith::tests {

/// Passes every call to `model`. Its clones are clones of that model.
class ForwardingModel : public AnyModel {
 public:
  explicit ForwardingModel(std::unique_ptr<AnyModel> model) : model_(std::move(model)) {}

  const ModelConfig& config() const override { return model_->config(); }
  const ModelSummary& summary() const override { return model_->summary(); }
  std::string structure() const override { return model_->structure(); }
  std::unique_ptr<AnyModel> clone() const override { return model_->clone(); }
  std::vector<Parameter> parameters() override { return model_->parameters(); }
  void init(RandomKey key) override { model_->init(key); }

  std::unique_ptr<AnyTape> make_tape(Shape shape) const override { return model_->make_tape(shape); }
  void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad, AnyTape& tape,
             AnyState* state, AnyState* dstate) const override {
    model_->train(ctx, bytes, scale, losses, grad, tape, state, dstate);
  }
  void score(const Context& ctx, Bytes bytes, std::span<float> losses, AnyState* state) const override {
    model_->score(ctx, bytes, losses, state);
  }

  std::unique_ptr<AnyState> make_state(Index B, Index room) const override { return model_->make_state(B, room); }
  std::unique_ptr<AnyState> select(const AnyState& state, std::span<const Index> sequences) const override {
    return model_->select(state, sequences);
  }
  void read(const Context& ctx, Bytes bytes, AnyState& state) const override { model_->read(ctx, bytes, state); }
  void next(const Context& ctx, AnyState& state, std::span<float> logits) const override {
    model_->next(ctx, state, logits);
  }
  void accept(std::span<const std::uint8_t> bytes, AnyState& state) const override { model_->accept(bytes, state); }
  Index embedding_width() const override { return model_->embedding_width(); }
  void embed(const Context& ctx, Bytes bytes, std::span<float> vectors) const override {
    model_->embed(ctx, bytes, vectors);
  }

 private:
  std::unique_ptr<AnyModel> model_;
};

}  // namespace megalith::tests
