// SPDX-License-Identifier: Apache-2.0
// Parameters, FLOPs and memory of a model, asked of its modules over ShapeOnly, so that no model has to be made for it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "megalith/models/config.h"
#include "megalith/nn/module.h"

namespace megalith {

/// Parameters of one part of a model.
struct SizePart {
  std::string name;
  double parameters = 0;
};

/// FLOPs of one part of a forward pass, a multiply-add counting two.
struct FlopsPart {
  std::string name;
  double flops = 0;
};

/// Answers for a model, whether it exists or not. Counts are double: those of an absurd config fit no integer.
class ModelSummary {
 public:
  virtual ~ModelSummary() = default;

  /// Bytes that the length of a batch must be a multiple of.
  virtual Index unit() const = 0;
  /// The longest sequence in bytes. Nothing where there is no limit: the State is then of one size for sequences of any
  /// length, and goes on for ever.
  virtual std::optional<Index> max_length() const = 0;
  /// Bytes of the windows that the model is trained and evaluated in where nobody names another length; nothing where it has
  /// none. At most max_length().
  virtual std::optional<Index> window() const { return max_length(); }
  /// Of T bytes in training, how many, the last ones, are predicted: T, but for models that train on the ends of windows
  /// (PerceiverConfig::predicted).
  virtual Index predicted(Index T) const { return T; }
  /// Where its windows begin, and in what order it reads their bytes. A call of the model gets them in that order.
  virtual RecordConfig record() const { return {}; }
  /// Whether the bits that read() and next() give for a sequence are the same whatever other sequences are in the batch. Two
  /// things can make bits differ. Eigen's products, used where there are no kernels of our own, are cut by the number of
  /// rows. And Eigen sums and exponentiates the numbers of a row before its first whole vector one by one: rows must begin
  /// at multiples of 64 bytes, so widths must be multiples of 16.
  virtual bool batch_invariant() const = 0;

  /// For each scale, its name before it where there are several: `embeddings` (tables of bytes and positions, pad),
  /// `embedder` where patches are convolved or projected, `stack`; the `condition` of each inner scale; the `head` where it
  /// is not tied to the byte table.
  virtual std::vector<SizePart> parameters_by_part() const = 0;
  /// Of one forward over (B,T), in the order in which it runs: `products` and `attention` of each scale, preceded by the
  /// scale's name where there are several, its `embedder` (all of its layers) where it has one, the `condition` of each
  /// inner scale, and the `head`. T is a multiple of unit(); it may be longer than max_length(). Backward computes twice as
  /// much. Where fewer bytes are predicted(), the forward is that of training.
  virtual std::vector<FlopsPart> flops_by_part(Shape shape) const = 0;

  /// Bytes of activations that a training step over (B,T) keeps for backward.
  virtual double tape_bytes(Shape shape) const = 0;
  /// Bytes of temporaries at their highest, about, in training on (B,T) or in scoring it.
  virtual double training_scratch_bytes(Shape shape, int threads) const = 0;
  virtual double scoring_scratch_bytes(Shape shape, int threads) const = 0;
  /// Bytes of a State for B sequences of up to `room` bytes.
  virtual double state_bytes(Index B, Index room) const = 0;

  double parameter_count() const {
    double sum = 0;
    for (const SizePart& part : parameters_by_part()) sum += part.parameters;
    return sum;
  }
  double flops(Shape shape) const {
    double sum = 0;
    for (const FlopsPart& part : flops_by_part(shape)) sum += part.flops;
    return sum;
  }
};

/// FLOPs of the forward half of training by byte that is predicted, in windows of `length` bytes.
inline double flops_per_byte(const ModelSummary& model, Index length) {
  return model.flops({1, length}) / static_cast<double>(model.predicted(length));
}

/// The summary of the model that make_model() makes of this config. Throws Error when the config is not valid.
std::unique_ptr<ModelSummary> make_summary(const ModelConfig& config);

}  // namespace megalith
