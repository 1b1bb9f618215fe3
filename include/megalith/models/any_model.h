// SPDX-License-Identifier: Apache-2.0
// The boundary at which a program picks a model at run time. Everything inside is concrete; a virtual call here stands for a
// whole forward and backward.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "megalith/core/seq.h"
#include "megalith/core/tensor.h"
#include "megalith/models/config.h"
#include "megalith/nn/module.h"
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

/// What a generation has read so far. Copy it with clone() to branch.
class AnyState {
 public:
  virtual ~AnyState() = default;
  virtual std::unique_ptr<AnyState> clone() const = 0;
};

/// A byte model in float, whatever its structure. Const calls may run at once, each with its own Context, Tape and State.
class AnyModel {
 public:
  virtual ~AnyModel() = default;

  virtual const ModelConfig& config() const = 0;
  virtual std::unique_ptr<AnyModel> clone() const = 0;
  /// In checkpoint order. The names are the same for every model of the same structure.
  virtual std::vector<Parameter> parameters() = 0;
  virtual Index parameter_count() const = 0;
  virtual void init(RandomKey key) = 0;

  virtual std::unique_ptr<AnyTape> make_tape(Shape shape) const = 0;
  /// Forward, loss and backward: losses (B,T) in nats are written; grad += d(scale * sum of losses)/d(parameters).
  /// bytes is (B,T), T a multiple of every unit and at most the config's length. grad is a model of the same structure.
  virtual void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad,
                     AnyTape& tape) const = 0;
  /// The loss of each byte in nats, each row an independent window read from its start. T as in train().
  virtual void score(const Context& ctx, Bytes bytes, std::span<float> losses) const = 0;

  /// A state in which nothing was read, for B sequences, with room for the config's length. Throws Error when that fits no
  /// memory of this machine.
  virtual std::unique_ptr<AnyState> make_state(Index B) const = 0;
  /// Reads bytes (B, n), n >= 0, many rows at a time.
  virtual void read(const Context& ctx, Bytes bytes, AnyState& state) const = 0;
  /// Logits (B, 256) of the next byte. Call accept() or read() with that byte before the next call.
  virtual void next(const Context& ctx, AnyState& state, std::span<float> logits) const = 0;
  /// Tells the bytes (B) that came.
  virtual void accept(std::span<const std::uint8_t> bytes, AnyState& state) const = 0;
  /// Bytes read or accepted so far in each sequence.
  virtual Index position(const AnyState& state) const = 0;

  /// Of matrix products in one forward over (B,T), a multiply-add counting two.
  virtual double flops(Shape shape) const = 0;
};

/// A model of that structure with parameters of value zero (norm gains one); call init() or load a checkpoint.
/// Throws Error when the config is not valid, and when the weights fit no memory of this machine.
std::unique_ptr<AnyModel> make_model(const ModelConfig& config);

}  // namespace megalith
