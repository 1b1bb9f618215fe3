// SPDX-License-Identifier: Apache-2.0
// One module out of several kinds, picked at run time.
#pragma once

#include <functional>
#include <memory>
#include <tuple>
#include <variant>
#include <vector>

#include "megalith/nn/chunks.h"
#include "megalith/nn/module.h"

namespace megalith {

/// Holds a module of any type, and is a module itself: a value with a Tape, a State and a visit of its own. A model over
/// AnyModule is compiled once for all kinds of blocks, which then add to each other instead of multiplying; each call is one
/// virtual call, beside which a block's arithmetic is long. Parameters keep the names that the module gives them.
///
/// Over ShapeOnly it has shapes and counts alone: the calls that compute are not compiled.
template <class S>
class AnyModule {
 public:
  using Scalar = S;
  using FinalNorm = AnyModule;
  class State;
  class Tape;

  AnyModule() = default;
  template <class M>
  requires(!std::same_as<M, AnyModule>) explicit AnyModule(M module)
      : module_(std::make_unique<Holder<M>>(std::move(module))) {}
  AnyModule(const AnyModule& other) : module_(other.module_ ? other.module_->clone() : nullptr) {}
  AnyModule(AnyModule&&) noexcept = default;
  AnyModule& operator=(AnyModule other) noexcept {
    module_ = std::move(other.module_);
    return *this;
  }

  /// The module as what it is; null where it is another one.
  template <class M>
  const M* get_if() const {
    const auto* const holder = dynamic_cast<const Holder<M>*>(module_.get());
    return holder == nullptr ? nullptr : &holder->module;
  }

  Index in_channels() const { return module_->in_channels(); }
  Index out_channels() const { return module_->out_channels(); }
  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    module_->forward(ctx, x, y, *state.state_, *tape.tape_);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const { module_->step(ctx, x, y, *state.state_); }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, AnyModule& grad, State& dstate,
                Tape& tape) const {
    module_->backward(ctx, x, dy, dx, *grad.module_, *dstate.state_, *tape.tape_);
  }
  Flops flops(Shape in) const { return module_->flops(in); }
  double scratch(Shape in, Pass pass, int threads) const { return module_->scratch(in, pass, threads); }
  Chunks chunks() const { return module_->chunks(); }
  void init(RandomKey key, const Init& how) { module_->init(key, how); }

  /// Zips with modules of any type that have the same parameters.
  template <class F, class M, class... Ms>
  static void visit(const Name& at, F&& f, M& m, Ms&... others) {
    zip([&](auto& module, auto&& each) { visit_one(at, each, module); }, f, m, others...);
  }

 private:
  using EachTensor = std::function<void(const Name&, Tensor<S>&)>;
  using EachField = std::function<void(const Name&, std::variant<Tensor<S>*, Index*>)>;

  struct StateBase {
    virtual ~StateBase() = default;
    virtual std::unique_ptr<StateBase> clone() const = 0;
    /// Takes the value of a State of the same type, in the memory that is there; false where it is of another.
    virtual bool assign(const StateBase& other) = 0;
    virtual void reset(Index rows) = 0;
    virtual bool valid(Index rows) const = 0;
    virtual void visit(const Name& at, const EachTensor& f) = 0;
    virtual void visit_all(const Name& at, const EachField& f) = 0;
  };
  struct TapeBase {
    virtual ~TapeBase() = default;
    virtual std::unique_ptr<TapeBase> clone() const = 0;
  };
  struct Base {
    virtual ~Base() = default;
    virtual std::unique_ptr<Base> clone() const = 0;
    virtual std::unique_ptr<StateBase> make_state(Index B, Index room) const = 0;
    virtual std::unique_ptr<TapeBase> make_tape(Shape in) const = 0;
    virtual Index in_channels() const = 0;
    virtual Index out_channels() const = 0;
    virtual void forward(const Context&, Seq<const S> x, Seq<S> y, StateBase&, TapeBase&) const = 0;
    virtual void step(const Context&, Seq<const S> x, Seq<S> y, StateBase&) const = 0;
    virtual void backward(const Context&, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Base& grad, StateBase&,
                          TapeBase&) const = 0;
    virtual Flops flops(Shape) const = 0;
    virtual double scratch(Shape, Pass, int threads) const = 0;
    virtual Chunks chunks() const = 0;
    virtual void init(RandomKey, const Init&) = 0;
    virtual void visit(const Name& at, const EachTensor& f) = 0;
  };
  template <class M>
  struct Holder;

  /// f(name, a, others...) for the tensors of `first` and, beside each, those of `others` in the same order. `over(x, each)`
  /// goes over the tensors of one of them.
  template <class Over, class F, class First, class... Others>
  static void zip(Over&& over, F& f, First& first, Others&... others) {
    if constexpr (sizeof...(Others) == 0) {
      over(first, f);
    } else {
      const auto pointers = [&](auto& x) {
        using T = std::remove_cvref_t<decltype(x)>;
        constexpr bool is_const = std::is_const_v<std::remove_reference_t<decltype(x)>>;
        using Number = typename T::Scalar;
        using Pointer = std::conditional_t<is_const, const Tensor<Number>*, Tensor<Number>*>;
        std::vector<Pointer> all;
        over(x, [&](const Name&, auto& t) { all.push_back(&t); });
        return all;
      };
      const auto lists = std::make_tuple(pointers(others)...);
      std::size_t i = 0;
      over(first, [&](const Name& name, auto& t) {
        std::apply(
            [&](const auto&... list) {
              assert(((i < list.size()) && ...));
              f(name, t, *list[i]...);
            },
            lists);
        ++i;
      });
    }
  }

  template <class F, class M>
  static void visit_one(const Name& at, F& f, M& m) {
    if constexpr (std::same_as<std::remove_const_t<M>, AnyModule>) {
      m.module_->visit(at, [&](const Name& name, Tensor<S>& t) {
        if constexpr (std::is_const_v<M>) f(name, std::as_const(t));
        else f(name, t);
      });
    } else {
      M::visit(at, f, m);
    }
  }

  std::unique_ptr<Base> module_;
};

template <class S>
class AnyModule<S>::State {
 public:
  using Scalar = S;
  State() = default;
  State(const AnyModule& m, Index B, Index room = 0) : state_(m.module_->make_state(B, room)) {}
  State(const State& other) : state_(other.state_ ? other.state_->clone() : nullptr) {}
  State(State&&) noexcept = default;
  State& operator=(const State& other) {
    if (this == &other) return *this;
    const bool assigned = state_ && other.state_ && state_->assign(*other.state_);
    if (!assigned) state_ = other.state_ ? other.state_->clone() : nullptr;
    return *this;
  }
  State& operator=(State&&) noexcept = default;

  void reset(Index rows = 0) { state_->reset(rows); }
  bool valid(Index rows) const { return state_->valid(rows); }
  template <class F, class St, class... Sts>
  static void visit(const Name& at, F&& f, St& state, Sts&... others) {
    zip([&](auto& s, auto&& each) { visit_one(at, each, s); }, f, state, others...);
  }
  template <class F, class St>
  static void visit_all(const Name& at, F&& f, St& state) {
    state.state_->visit_all(at, [&](const Name& name, std::variant<Tensor<S>*, Index*> field) {
      std::visit([&](auto* p) { f(name, static_cast<LikeConst<St, decltype(*p)>>(*p)); }, field);
    });
  }

 private:
  friend class AnyModule;
  template <class St, class Reference>
  using LikeConst = std::conditional_t<std::is_const_v<St>, const std::remove_reference_t<Reference>&, Reference>;

  template <class F, class St>
  static void visit_one(const Name& at, F& f, St& state) {
    if constexpr (std::same_as<std::remove_const_t<St>, State>) {
      state.state_->visit(at, [&](const Name& name, Tensor<S>& t) { f(name, static_cast<LikeConst<St, Tensor<S>&>>(t)); });
    } else {
      St::visit(at, f, state);
    }
  }

  std::unique_ptr<StateBase> state_;
};

template <class S>
class AnyModule<S>::Tape {
 public:
  Tape() = default;
  Tape(const AnyModule& m, Shape in) : tape_(m.module_->make_tape(in)) {}
  Tape(const Tape& other) : tape_(other.tape_ ? other.tape_->clone() : nullptr) {}
  Tape(Tape&&) noexcept = default;
  Tape& operator=(Tape other) noexcept {
    tape_ = std::move(other.tape_);
    return *this;
  }

 private:
  friend class AnyModule;
  std::unique_ptr<TapeBase> tape_;
};

template <class S>
template <class M>
struct AnyModule<S>::Holder final : Base {
  static constexpr bool kComputes = !std::same_as<S, ShapeOnly>;

  struct HeldState final : StateBase {
    typename M::State state;
    explicit HeldState(typename M::State s) : state(std::move(s)) {}
    std::unique_ptr<StateBase> clone() const override { return std::make_unique<HeldState>(*this); }
    bool assign(const StateBase& other) override {
      const auto* const same = dynamic_cast<const HeldState*>(&other);
      if (same != nullptr) state = same->state;
      return same != nullptr;
    }
    void reset(Index rows) override { state.reset(rows); }
    bool valid(Index rows) const override { return state.valid(rows); }
    void visit(const Name& at, const EachTensor& f) override { M::State::visit(at, f, state); }
    void visit_all(const Name& at, const EachField& f) override {
      M::State::visit_all(
          at, [&](const Name& name, auto& field) { f(name, &field); }, state);
    }
  };
  struct HeldTape final : TapeBase {
    typename M::Tape tape;
    explicit HeldTape(typename M::Tape t) : tape(std::move(t)) {}
    std::unique_ptr<TapeBase> clone() const override { return std::make_unique<HeldTape>(*this); }
  };

  M module;

  explicit Holder(M m) : module(std::move(m)) {}
  std::unique_ptr<Base> clone() const override { return std::make_unique<Holder>(*this); }
  std::unique_ptr<StateBase> make_state(Index B, Index room) const override {
    return std::make_unique<HeldState>(typename M::State(module, B, room));
  }
  std::unique_ptr<TapeBase> make_tape(Shape in) const override {
    return std::make_unique<HeldTape>(typename M::Tape(module, in));
  }
  Index in_channels() const override { return module.in_channels(); }
  Index out_channels() const override { return module.out_channels(); }
  void forward([[maybe_unused]] const Context& ctx, [[maybe_unused]] Seq<const S> x, [[maybe_unused]] Seq<S> y,
               [[maybe_unused]] StateBase& state, [[maybe_unused]] TapeBase& tape) const override {
    if constexpr (kComputes) module.forward(ctx, x, y, of(state), of(tape));
  }
  void step([[maybe_unused]] const Context& ctx, [[maybe_unused]] Seq<const S> x, [[maybe_unused]] Seq<S> y,
            [[maybe_unused]] StateBase& state) const override {
    if constexpr (kComputes) module.step(ctx, x, y, of(state));
  }
  void backward([[maybe_unused]] const Context& ctx, [[maybe_unused]] Seq<const S> x, [[maybe_unused]] Seq<const S> dy,
                [[maybe_unused]] Seq<S> dx, [[maybe_unused]] Base& grad, [[maybe_unused]] StateBase& dstate,
                [[maybe_unused]] TapeBase& tape) const override {
    assert(dynamic_cast<Holder*>(&grad) != nullptr);
    if constexpr (kComputes) module.backward(ctx, x, dy, dx, static_cast<Holder&>(grad).module, of(dstate), of(tape));
  }
  Flops flops(Shape in) const override { return module.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const override { return module.scratch(in, pass, threads); }
  Chunks chunks() const override { return chunks_of(module); }
  void init([[maybe_unused]] RandomKey key, [[maybe_unused]] const Init& how) override {
    if constexpr (kComputes) module.init(key, how);
  }
  void visit(const Name& at, const EachTensor& f) override { M::visit(at, f, module); }

 private:
  // The state and the tape were made by a module of the same kind: the models check what users pass.
  static typename M::State& of(StateBase& state) {
    assert(dynamic_cast<HeldState*>(&state) != nullptr);
    return static_cast<HeldState&>(state).state;
  }
  static typename M::Tape& of(TapeBase& tape) {
    assert(dynamic_cast<HeldTape*>(&tape) != nullptr);
    return static_cast<HeldTape&>(tape).tape;
  }
};

}  // namespace megalith
