// SPDX-License-Identifier: Apache-2.0
// AnyModel over a concrete decoder: the one place where types meet a virtual interface.
#pragma once

#include <iterator>

#include "megalith/core/check.h"
#include "megalith/models/any_model.h"
#include "megalith/models/byte_decoder.h"
#include "megalith/models/memory.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {

/// How many scales a decoder has: one more than the decoder inside it.
template <class Decoder>
constexpr std::size_t scales_of() {
  if constexpr (requires(Decoder d) { d.inner; }) return 1 + scales_of<std::remove_cvref_t<decltype(Decoder::inner)>>();
  else return 1;
}

/// Wraps a ByteDecoder in float. Use it to train a decoder of your own with the library's trainer.
template <class Decoder>
class DecoderModel final : public AnyModel {
 public:
  /// Throws Error when the config is not valid.
  explicit DecoderModel(ModelConfig config) : config_(valid(std::move(config))), decoder_(config_, 0) {}

  /// The decoder itself.
  Decoder& decoder() { return decoder_; }
  const Decoder& decoder() const { return decoder_; }

  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<AnyModel> clone() const override { return std::make_unique<DecoderModel>(*this); }
  std::vector<Parameter> parameters() override {
    std::vector<Parameter> all;
    for_each_parameter(decoder_, [&](const Name& name, Tensor<float>& t) { all.push_back({name.str(), name.role, &t}); });
    return all;
  }
  Index parameter_count() const override { return megalith::parameter_count(decoder_); }
  void init(RandomKey key) override { decoder_.init(key, {config_.init_std, config_.residual_init}); }

  std::unique_ptr<AnyTape> make_tape(Shape shape) const override {
    check_shape(shape);
    return std::make_unique<Tape>(config_, decoder_, shape);
  }
  void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad,
             AnyTape& tape) const override {
    check_shape(bytes.shape());
    check_room(losses.size(), bytes.B * bytes.T, "losses");
    Tape& t = own<Tape>(tape, "tape");
    check(t.shape == bytes.shape(), "a tape made for ", t.shape.B, " x ", t.shape.T, " bytes cannot hold ", bytes.B, " x ",
          bytes.T, "; call make_tape with the batch's shape");
    auto* const g = dynamic_cast<DecoderModel*>(&grad);
    check(g != nullptr && g != this && g->config_ == config_,
          "the gradient must be another model of the same config: a clone");
    t.state.begin(nullptr);
    decoder_.train(ctx, bytes, {}, {}, scale, losses.data(), g->decoder_, t.state, t.dstate, t.tape);
  }
  void score(const Context& ctx, Bytes bytes, std::span<float> losses) const override {
    check_shape(bytes.shape());
    check_room(losses.size(), bytes.B * bytes.T, "losses");
    typename Decoder::State state(decoder_, bytes.B);
    decoder_.score(ctx, bytes, {}, losses.data(), state);
  }

  std::unique_ptr<AnyState> make_state(Index B) const override {
    check(B >= 1, "a state is for one sequence or more, not for ", B);
    check_memory(text("reading ", B, B == 1 ? " sequence" : " sequences", " of ", config_.length, " bytes"),
                 state_memory(config_, B));
    return std::make_unique<State>(config_, decoder_, B);
  }
  void read(const Context& ctx, Bytes bytes, AnyState& state) const override {
    State& s = own<State>(state, "state");
    check(bytes.B == s.batch(), "the state is for ", s.batch(), " sequences, and bytes of ", bytes.B, " were given");
    check(s.position() + bytes.T <= config_.length, "the model reads at most ", config_.length, " bytes, and ",
          s.position() + bytes.T, " were given; start a new state with the last of them");
    if (bytes.T == 0) return;
    decoder_.read(ctx.as_batch_invariant(), bytes, {}, s.state);
    s.asked = false;
  }
  void next(const Context& ctx, AnyState& state, std::span<float> logits) const override {
    State& s = own<State>(state, "state");
    check(!s.asked, "next() was called already for this byte; tell it by accept() or read() before the next call");
    check_room(logits.size(), s.batch() * kByteValues, "logits");
    check(s.position() < config_.length, "the model has read its ", config_.length,
          " bytes; start a new state with the last of them");
    decoder_.next(ctx.as_batch_invariant(), {}, s.state, {logits.data(), s.batch(), 1, kByteValues});
    s.asked = true;
  }
  void accept(std::span<const std::uint8_t> bytes, AnyState& state) const override {
    State& s = own<State>(state, "state");
    check(s.asked, "accept() tells the byte that next() was about; call next() first, or read()");
    check(std::ssize(bytes) == s.batch(), "the state is for ", s.batch(), " sequences, and ", bytes.size(),
          " bytes were given");
    decoder_.accept(bytes.data(), s.state);
    s.asked = false;
  }
  Index position(const AnyState& state) const override { return own<const State>(state, "state").position(); }

  double flops(Shape shape) const override { return decoder_.flops(shape); }

 private:
  struct Tape final : AnyTape {
    ModelConfig config;  // of the model that it was made by
    Shape shape;
    typename Decoder::Tape tape;
    typename Decoder::State state, dstate;
    Tape(const ModelConfig& c, const Decoder& m, Shape s) : config(c), shape(s), tape(m, s), state(m, s.B), dstate(m, s.B) {}
  };
  struct State final : AnyState {
    ModelConfig config;
    typename Decoder::State state;
    bool asked = false;  // next() was called for the byte at position()
    State(const ModelConfig& c, const Decoder& m, Index B) : config(c), state(m, B, c.length) {}
    Index batch() const { return state.history.B; }
    Index position() const { return state.history.position; }
    std::unique_ptr<AnyState> clone() const override { return std::make_unique<State>(*this); }
  };

  static ModelConfig valid(ModelConfig config) {
    config.validate();
    constexpr std::size_t kScales = scales_of<Decoder>();
    check(config.scales.size() == kScales, "this decoder has ", kScales, " scales, and the config ", config.scales.size());
    return config;
  }
  /// A tape or state as this model's own.
  template <class T, class Any>
  T& own(Any& any, const char* what) const {
    auto* const mine = dynamic_cast<T*>(&any);
    check(mine != nullptr && mine->config == config_, "the ", what, " was made by a model of another config");
    return *mine;
  }
  static void check_room(std::size_t given, Index needed, const char* what) {
    check(static_cast<Index>(given) >= needed, "there is room for ", given, " ", what, ", and ", needed, " are needed");
  }
  void check_shape(Shape s) const {
    check(s.B >= 1 && s.T >= 1, "a batch needs at least one sequence of one byte");
    check(s.T <= config_.length, "sequence length ", s.T, " exceeds the model's ", config_.length);
    check(s.T % decoder_.unit() == 0, "sequence length ", s.T, " is not a multiple of the patch size ", decoder_.unit());
  }

  ModelConfig config_;
  Decoder decoder_;
};

}  // namespace megalith
