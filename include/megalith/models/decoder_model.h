// SPDX-License-Identifier: Apache-2.0
// AnyModel over a concrete decoder: the one place where types meet a virtual interface.
#pragma once

#include <iterator>
#include <typeinfo>

#include "megalith/core/check.h"
#include "megalith/models/any_model.h"
#include "megalith/models/decoder_summary.h"
#include "megalith/models/decoders.h"
#include "megalith/models/embed_patches.h"
#include "megalith/models/inner_sequences.h"
#include "megalith/models/state_bytes.h"
#include "megalith/nn/block_kind.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {

/// How many scales a decoder has: one more than the decoder inside it.
template <class Decoder>
constexpr std::size_t scales_of() {
  if constexpr (requires { typename Decoder::Inner; }) return 1 + scales_of<typename Decoder::Inner>();
  else return 1;
}

namespace detail {

/// The name of a type, as people write it.
std::string name_of(const std::type_info& type);

/// Whether a decoder is one of the library's, of the blocks that the kinds in a config make: then the config tells it all.
template <class Decoder>
struct IsOfConfig {
  static bool at(const ModelConfig&, std::size_t) { return false; }
};
template <class Block>
bool is_of_kind(const StackConfig& stack) {
  if constexpr (std::same_as<Block, AnyModule<float>>) return true;
  else {
    const AnyModule<ShapeOnly> made = stack.block.kind().block_shape(stack, 0);
    return made.template get_if<typename Rebind<Block, ShapeOnly>::type>() != nullptr;
  }
}
template <class Block>
struct IsOfConfig<Flat<Block>> {
  static bool at(const ModelConfig& c, std::size_t scale) { return is_of_kind<Block>(c.scales[scale].stack); }
};
template <class Block, class Inner>
struct IsOfConfig<Patched<Block, Inner>> {
  static bool at(const ModelConfig& c, std::size_t scale) {
    return is_of_kind<Block>(c.scales[scale].stack) && IsOfConfig<Inner>::at(c, scale + 1);
  }
};

}  // namespace detail

/// Wraps a ByteDecoder in float. Use it to train a decoder of your own with the library's trainer. Its files can be read
/// again where the kinds of its blocks are registered (register_block).
template <class Decoder>
class DecoderModel final : public AnyModel {
  static_assert(ByteDecoder<Decoder>);

 public:
  /// Throws Error when the config is not valid, or names another kind of block than the decoder's.
  explicit DecoderModel(ModelConfig config)
      : config_(validated(std::move(config))), summary_(config_), decoder_(config_, 0) {}

  /// The decoder itself.
  Decoder& decoder() { return decoder_; }
  const Decoder& decoder() const { return decoder_; }

  const ModelConfig& config() const override { return config_; }
  const ModelSummary& summary() const override { return summary_; }
  std::unique_ptr<AnyModel> clone() const override { return std::make_unique<DecoderModel>(*this); }
  std::vector<Parameter> parameters() override {
    std::vector<Parameter> all;
    for_each_parameter(decoder_, [&](const Name& name, Tensor<float>& t) { all.push_back({name.str(), name.role, &t}); });
    return all;
  }
  std::string structure() const override {
    return detail::IsOfConfig<Decoder>::at(config_, 0) ? "" : detail::name_of(typeid(Decoder));
  }
  void init(RandomKey key) override { decoder_.init(key, {config_.init_std, config_.residual_init}); }

  std::unique_ptr<AnyTape> make_tape(Shape shape) const override {
    check_shape(shape);
    return std::make_unique<Tape>(config_, decoder_, shape);
  }
  void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad, AnyTape& tape,
             AnyState* state = nullptr, AnyState* dstate = nullptr) const override {
    check_shape(bytes.shape());
    check_room(losses.size(), bytes.B * bytes.T, "losses");
    Tape& t = own<Tape>(tape, "tape");
    // Of models that train on the ends of windows, a shorter one may keep more.
    const bool fits = t.shape.T >= bytes.T && summary_.predicted(t.shape.T) >= summary_.predicted(bytes.T);
    check(t.shape.B == bytes.B && fits, "a tape made for ", t.shape.B, " x ", t.shape.T, " bytes cannot hold ", bytes.B,
          " x ", bytes.T, "; call make_tape with the batch's shape");
    auto* const g = dynamic_cast<DecoderModel*>(&grad);
    check(g != nullptr && g != this && g->config_ == config_,
          "the gradient must be another model of the same config: a clone");
    check(dstate == nullptr || state != nullptr, "the gradient of a state is given without the state");
    const auto run = [&](const Context& here, typename Decoder::State& from, typename Decoder::State& d) {
      decoder_.train(here, bytes, {}, {}, scale, losses.data(), g->decoder_, from, d, t.tape);
    };
    if (state == nullptr) {
      t.closed.begin(nullptr);
      return run(ctx, t.closed, t.dclosed);
    }
    check(summary_.predicted(bytes.T) == bytes.T, "this model predicts the last ", summary_.predicted(bytes.T), " of ",
          bytes.T, " bytes in training, which goes by whole windows; train without a state, or set predicted to 0");
    State& s = to_go_on(*state, bytes);
    const Context here = ctx.from_position(s.position());
    if (dstate != nullptr) return run(here, s.state, gradient_of(s, *dstate).state);
    t.unasked = s.state;  // the same memory each time
    zero(t.unasked);
    run(here, s.state, t.unasked);
  }
  void score(const Context& ctx, Bytes bytes, std::span<float> losses, AnyState* state = nullptr) const override {
    check_shape(bytes.shape());
    check_room(losses.size(), bytes.B * bytes.T, "losses");
    if (state != nullptr) {
      State& s = to_go_on(*state, bytes);
      return decoder_.score(ctx.from_position(s.position()), bytes, {}, losses.data(), s.state);
    }
    typename Decoder::State closed(decoder_, bytes.B);
    decoder_.score(ctx, bytes, {}, losses.data(), closed);
  }

  Index embedding_width() const override { return kEmbeds ? decoder_.width() : 0; }
  void embed(const Context& ctx, Bytes bytes, std::span<float> vectors) const override {
    if constexpr (kEmbeds) {
      check_shape({bytes.B, bytes.T + unit()});
      check(bytes.T >= 1, "there is nothing to embed");
      const Index patches = bytes.T / unit();
      check_room(vectors.size(), bytes.B * patches * decoder_.width(), "numbers");
      embed_patches(decoder_, ctx, bytes, Seq<float>{vectors.data(), bytes.B, patches, decoder_.width()});
    } else {
      AnyModel::embed(ctx, bytes, vectors);
    }
  }

  std::unique_ptr<AnyState> make_state(Index B, Index room = 0) const override {
    check(B >= 1, "a state is for one sequence or more, not for ", B);
    const Index most = max_length().value_or(kEndless);
    check(room >= 0 && room <= most, "the model reads at most ", most, " bytes, and a state with room for ", room,
          " is asked for");
    if (room == 0) room = most;
    check_memory(text("reading ", B, B == 1 ? " sequence" : " sequences", " of ", room, " bytes"),
                 summary_.state_bytes(B, room));
    return std::make_unique<State>(config_, decoder_, B, room);
  }
  std::unique_ptr<AnyState> select(const AnyState& state, std::span<const Index> sequences) const override {
    const State& from = own<const State>(state, "state");
    std::unique_ptr<AnyState> some = make_state(std::ssize(sequences), from.room);
    Index to = 0;
    for (const Index b : sequences) {
      check(b >= 0 && b < from.batch(), "the state is for ", from.batch(), " sequences, and has none with the number ", b);
      copy_sequences(from.state, b, static_cast<State&>(*some).state, to++, 1);
    }
    return some;
  }
  void read(const Context& ctx, Bytes bytes, AnyState& state) const override {
    State& s = own<State>(state, "state");
    check_fits(s, bytes);
    if (bytes.T == 0) return;
    decoder_.read(ctx.as_batch_invariant(), bytes, {}, s.state);
  }
  void next(const Context& ctx, AnyState& state, std::span<float> logits) const override {
    State& s = own<State>(state, "state");
    check(!s.asked(), "next() was called already for this byte; tell it by accept() or read() before the next call");
    check_room(logits.size(), s.batch() * kByteValues, "logits");
    check(s.position() < s.room, "the model has read its ", s.room, " bytes; start a new state with the last of them");
    decoder_.next(ctx.as_batch_invariant(), {}, s.state, {logits.data(), s.batch(), 1, kByteValues});
  }
  void accept(std::span<const std::uint8_t> bytes, AnyState& state) const override {
    State& s = own<State>(state, "state");
    check(s.asked(), "accept() tells the byte that next() was about; call next() first, or read()");
    check(std::ssize(bytes) == s.batch(), "the state is for ", s.batch(), " sequences, and ", bytes.size(),
          " bytes were given");
    decoder_.accept(bytes.data(), s.state);
  }

 private:
  // A decoder of a program's own may be built otherwise.
  static constexpr bool kEmbeds = requires(const Decoder& m) { m.embedder, m.stack; };
  struct Tape final : AnyTape {
    ModelConfig config;  // of the model that it was made by
    Shape shape;
    typename Decoder::Tape tape;
    typename Decoder::State closed, dclosed;  // of independent windows
    typename Decoder::State unasked;          // the gradient of a state that nobody asks for
    Tape(const ModelConfig& c, const Decoder& m, Shape s)
        : config(c), shape(s), tape(m, s), closed(m, s.B), dclosed(m, s.B) {}
  };
  struct State final : AnyState {
    ModelConfig config;
    Index room;
    typename Decoder::State state;
    State(const ModelConfig& c, const Decoder& m, Index B, Index n) : config(c), room(n), state(m, B, n) {}

    std::unique_ptr<AnyState> clone() const override { return std::make_unique<State>(*this); }
    Index batch() const override { return state.history.B; }
    Index position() const override { return state.history.position; }
    /// Whether next() was called for the byte at position().
    bool asked() const { return state.ahead(); }
    void reset() override { state.begin(nullptr); }
    void set_zero() override { zero(state); }
    std::vector<std::byte> save() const override { return save_state(*this); }
    void load(std::span<const std::byte> saved) override {
      State loaded = *this;
      load_state(loaded, saved);
      check(loaded.position() >= 0 && loaded.position() <= room && loaded.state.valid() &&
                loaded.position() + (loaded.asked() ? 1 : 0) <= room,
            kDamagedState);
      *this = std::move(loaded);
    }
    template <class F, class St>
    static void visit_all(const Name& at, F&& f, St& s) {
      Decoder::State::visit_all(at, f, s.state);
    }
  };

  static void zero(typename Decoder::State& state) {
    state.begin(nullptr);  // no row of it counts
    Decoder::State::visit(
        Name{}, [](const Name&, Tensor<float>& t) { t.fill(0); }, state);
  }
  static ModelConfig validated(ModelConfig config) {
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
  /// A state that these bytes, whole patches, go on from.
  State& to_go_on(AnyState& state, Bytes bytes) const {
    State& s = own<State>(state, "state");
    check_fits(s, bytes);
    check(!s.asked() && s.state.history.unfinished() == 0, "the state is inside a patch, after ", s.position(),
          " bytes; train() and score() go on from whole patches of ", unit(), " bytes");
    return s;
  }
  /// The gradient of what comes after a state: another State of its size.
  State& gradient_of(const State& s, AnyState& gradient) const {
    State& d = own<State>(gradient, "gradient of the state");
    check(&d != &s && d.batch() == s.batch() && d.room == s.room, "the gradient of a state for ", s.batch(),
          " sequences of ", s.room, " bytes must be another state like it; make it by clone() and set_zero()");
    return d;
  }
  static void check_fits(const State& s, Bytes bytes) {
    check(bytes.B == s.batch(), "the state is for ", s.batch(), " sequences, and bytes of ", bytes.B, " were given");
    check(s.position() + bytes.T <= s.room, "the model reads at most ", s.room, " bytes, and ", s.position() + bytes.T,
          " were given; start a new state with the last of them");
  }
  static void check_room(std::size_t given, Index needed, const char* what) {
    check(static_cast<Index>(given) >= needed, "there is room for ", given, " ", what, ", and ", needed, " are needed");
  }
  void check_shape(Shape s) const {
    check(s.B >= 1 && s.T >= 1, "a batch needs at least one sequence of one byte");
    const Index most = max_length().value_or(s.T);
    check(s.T <= most, "sequence length ", s.T, " exceeds the model's ", most);
    check(s.T % unit() == 0, "sequence length ", s.T, " is not a multiple of the patch size ", unit());
  }

  ModelConfig config_;
  DecoderSummary<Decoder> summary_;
  Decoder decoder_;
};

}  // namespace megalith
