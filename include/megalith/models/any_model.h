// SPDX-License-Identifier: Apache-2.0
// The boundary at which a program picks a model at run time. Everything inside is concrete; a virtual call here stands for a
// whole forward and backward.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/core/seq.h"
#include "megalith/core/tensor.h"
#include "megalith/models/model_summary.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// A parameter of a model, by name; the tensor belongs to the model.
struct Parameter {
  std::string name;
  Role role = Role::other;
  Tensor<float>* tensor = nullptr;
};

/// Activations of a training step, made once for a batch size and length.
class AnyTape {
 public:
  virtual ~AnyTape() = default;
};

/// What a model has read of B sequences, and all that it needs of them to go on. A value: clone() branches it, save() makes
/// bytes of it that load() takes elsewhere.
class AnyState {
 public:
  virtual ~AnyState() = default;
  virtual std::unique_ptr<AnyState> clone() const = 0;
  virtual Index batch() const = 0;
  /// Bytes read or accepted so far in each sequence.
  virtual Index position() const = 0;
  /// Forgets what was read; the room stays.
  virtual void reset() = 0;
  /// Makes this the gradient of a State on which nothing depends.
  virtual void set_zero() = 0;
  /// Everything, for a State of the same model, batch and room on a machine of the same byte order.
  virtual std::vector<std::byte> save() const = 0;
  /// Throws Error, and changes nothing, where the bytes are not such a State's.
  virtual void load(std::span<const std::byte> saved) = 0;
};

/// A byte model in float, whatever its structure. Const calls may run at once, each with its own Context, Tape and State.
class AnyModel {
 public:
  virtual ~AnyModel() = default;

  /// What the model was made from, for files. How it behaves, and what it takes, is in its summary.
  virtual const ModelConfig& config() const = 0;
  virtual const ModelSummary& summary() const = 0;
  virtual std::unique_ptr<AnyModel> clone() const = 0;
  /// The name of what computes, for files: a file is read only by a model that gives the same. Empty where make_model()
  /// makes such a model from the config alone; that of this type unless a model says otherwise.
  virtual std::string structure() const;
  /// In checkpoint order. The names are the same for every model of the same structure.
  virtual std::vector<Parameter> parameters() = 0;
  virtual void init(RandomKey key) = 0;

  virtual std::unique_ptr<AnyTape> make_tape(Shape shape) const = 0;
  /// Forward, loss and backward: losses (B,T) in nats are written; grad += d(scale * sum of losses)/d(parameters).
  /// bytes is (B,T), T a multiple of unit(). grad is a model of the same structure, tape one for (B,T), or for longer
  /// sequences of which as many bytes or more are predicted.
  ///
  /// Where the model predicts the ends of training windows alone (ModelSummary::predicted), the losses of the bytes before
  /// are 0, and it takes no state.
  ///
  /// Without a state the rows are independent windows. With one they go on from what it has read, which must be whole
  /// patches, and it has read them too afterwards; positions in ctx count from what it has read. With dstate as well, which
  /// holds the gradient of a loss by the state left, grad gets that loss's share too, and dstate becomes the gradient by the
  /// state received.
  virtual void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad, AnyTape& tape,
                     AnyState* state = nullptr, AnyState* dstate = nullptr) const = 0;
  /// The loss of each byte in nats; bytes and state as in train().
  virtual void score(const Context& ctx, Bytes bytes, std::span<float> losses, AnyState* state = nullptr) const = 0;

  /// A state in which nothing was read, for B sequences of up to `room` bytes; 0 means max_length(), and of any length where
  /// there is none. Throws Error when that does not fit the memory of this machine.
  virtual std::unique_ptr<AnyState> make_state(Index B, Index room = 0) const = 0;
  /// A state of some of the sequences of another, by their numbers, each 0 or more and below its batch: they go on there
  /// from where they are here. Throws Error where the model cannot take a state apart.
  virtual std::unique_ptr<AnyState> select(const AnyState&, std::span<const Index> /*sequences*/) const {
    throw Error("this model cannot take sequences out of a state");
  }
  /// Reads bytes (B, n), n >= 0, many rows at a time.
  virtual void read(const Context& ctx, Bytes bytes, AnyState& state) const = 0;
  /// Logits (B, 256) of the next byte. Call accept() or read() with that byte before the next call.
  virtual void next(const Context& ctx, AnyState& state, std::span<float> logits) const = 0;
  /// Takes the byte of each sequence (B) that came.
  virtual void accept(std::span<const std::uint8_t> bytes, AnyState& state) const = 0;

  /// How long the vectors of embed() are; 0 where the model gives none.
  virtual Index embedding_width() const { return 0; }
  /// vectors (B, T / unit(), embedding_width()): for each patch of bytes (B,T), what the outermost stack makes of it and of
  /// all before it in its row, behind the stack's final norm. T is a multiple of unit(), at most max_length() - unit().
  /// Throws Error where the model gives none.
  virtual void embed(const Context&, Bytes, std::span<float>) const { throw Error("this model gives no embeddings"); }

  // The answers of the summary that loops over a model need most.
  Index unit() const { return summary().unit(); }
  std::optional<Index> max_length() const { return summary().max_length(); }
  std::optional<Index> window() const { return summary().window(); }
  RecordConfig record() const { return summary().record(); }
  bool batch_invariant() const { return summary().batch_invariant(); }
  Index parameter_count() const { return static_cast<Index>(summary().parameter_count()); }
  double flops(Shape shape) const { return summary().flops(shape); }
};

/// A model of that structure with parameters of value zero (norm gains one); call init() or load a checkpoint.
/// Throws Error when the config is not valid, and when the weights do not fit the memory of this machine.
std::unique_ptr<AnyModel> make_model(const ModelConfig& config);

}  // namespace megalith
