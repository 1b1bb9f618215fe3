// SPDX-License-Identifier: Apache-2.0
// AnyModel over a concrete decoder: the one place where types meet a virtual interface.
#pragma once

#include "megalith/core/check.h"
#include "megalith/models/any_model.h"
#include "megalith/models/byte_decoder.h"

namespace megalith {

/// Wraps a ByteDecoder in float. Use it to train a decoder of your own with the library's trainer.
template <class Decoder>
class ModelOf final : public AnyModel {
 public:
  explicit ModelOf(ModelConfig config) : config_(std::move(config)), decoder_(config_, 0) {}

  /// The decoder itself.
  Decoder& decoder() { return decoder_; }
  const Decoder& decoder() const { return decoder_; }

  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<AnyModel> clone() const override { return std::make_unique<ModelOf>(*this); }
  std::vector<Parameter> parameters() override {
    std::vector<Parameter> all;
    for_each_parameter(decoder_, [&](const Name& name, Tensor<float>& t) { all.push_back({name.str(), &t}); });
    return all;
  }
  Index parameter_count() const override { return megalith::parameter_count(decoder_); }
  void init(RandomKey key) override { decoder_.init(key, {config_.init_std, config_.residual_init}); }

  std::unique_ptr<AnyTape> make_tape(Shape shape) const override {
    check_shape(shape);
    return std::make_unique<Tape>(decoder_, shape);
  }
  void train(const Context& ctx, Bytes bytes, float scale, std::span<float> costs, AnyModel& grad, AnyTape& tape) const override {
    check_shape(bytes.shape());
    Tape& t = dynamic_cast<Tape&>(tape);
    check(t.shape == bytes.shape(), "a tape made for ", t.shape.B, " x ", t.shape.T, " bytes cannot hold ", bytes.B, " x ", bytes.T,
          "; call make_tape with the batch's shape");
    t.state.begin(nullptr);
    decoder_.train(ctx, bytes, {}, {}, scale, costs.data(), dynamic_cast<ModelOf&>(grad).decoder_, t.state, t.dstate, t.tape);
  }
  void score(const Context& ctx, Bytes bytes, std::span<float> costs) const override {
    check_shape(bytes.shape());
    typename Decoder::State state(decoder_, bytes.B);
    decoder_.score(ctx, bytes, {}, costs.data(), state);
  }

  std::unique_ptr<AnyState> make_state(Index B) const override { return std::make_unique<State>(decoder_, B, config_.length); }
  void read(const Context& ctx, Bytes bytes, AnyState& state) const override {
    auto& s = dynamic_cast<State&>(state).state;
    check(s.history.position + bytes.T <= config_.length, "the model reads at most ", config_.length, " bytes, and ",
          s.history.position + bytes.T, " were given; start a new state with the last of them");
    decoder_.read(ctx, bytes, {}, s);
  }
  void next(const Context& ctx, AnyState& state, std::span<float> logits) const override {
    auto& s = dynamic_cast<State&>(state).state;
    check(s.history.position < config_.length, "the model has read its ", config_.length,
          " bytes; start a new state with the last of them");
    decoder_.next(ctx, {}, s, {logits.data(), s.history.B, 1, kByteValues});
  }
  void accept(std::span<const std::uint8_t> bytes, AnyState& state) const override {
    decoder_.accept(bytes.data(), dynamic_cast<State&>(state).state);
  }
  Index position(const AnyState& state) const override { return dynamic_cast<const State&>(state).state.history.position; }

  double flops(Shape shape) const override { return decoder_.flops(shape); }

 private:
  struct Tape final : AnyTape {
    Shape shape;
    typename Decoder::Tape tape;
    typename Decoder::State state, dstate;
    Tape(const Decoder& m, Shape s) : shape(s), tape(m, s), state(m, s.B), dstate(m, s.B) {}
  };
  struct State final : AnyState {
    typename Decoder::State state;
    State(const Decoder& m, Index B, Index room) : state(m, B, room) {}
    std::unique_ptr<AnyState> clone() const override { return std::make_unique<State>(*this); }
  };

  void check_shape(Shape s) const {
    check(s.B >= 1 && s.T >= 1, "a batch needs at least one sequence of one byte");
    check(s.T <= config_.length, "sequence length ", s.T, " exceeds the model's ", config_.length);
    check(s.T % decoder_.unit() == 0, "sequence length ", s.T, " is not a multiple of the patch size ", decoder_.unit());
  }

  ModelConfig config_;
  Decoder decoder_;
};

}  // namespace megalith
