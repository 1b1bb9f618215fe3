// SPDX-License-Identifier: Apache-2.0
// What changes the weights of a model by their gradient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "megalith/models/any_model.h"

namespace megalith {

struct TrainConfig;

/// The numbers that a tensor of an optimiser's state may hold; a state file with others is refused.
enum class StateNumbers {
  finite,
  not_negative,  // such as means of squares; infinity too
};

/// An optimiser and its state, for the parameters that it was made for. Virtual because a program picks one at run time; a
/// new one needs its own file and a line in make_optimizer().
class Optimizer {
 public:
  template <class T>
  using Visitor = std::function<void(std::string_view group, std::size_t parameter, T& tensor, StateNumbers numbers)>;

  virtual ~Optimizer() = default;

  /// As `AdamW`.
  virtual std::string name() const = 0;
  /// The settings in words that differ for other settings: a resumed run compares name and settings.
  virtual std::string settings() const = 0;

  /// Update number t (from 1) at the learning rate `lr`. Each gradient counts times `gradient_scale`, as clipping gives it,
  /// and is 0 afterwards, ready for the next step. Allocates nothing; the bits do not depend on threads.
  virtual void update(const Context& ctx, std::span<const Parameter> values, std::span<const Parameter> gradients, double lr,
                      double gradient_scale, std::int64_t t) = 0;

  /// Calls f for each tensor of the state, which is saved as `<group>.<name of the parameter>`, in this order. A group is a
  /// word other than `run`, `weights` and `average`, and need not have a tensor for every parameter.
  virtual void visit_state(const Visitor<Tensor<float>>& f) = 0;
  /// The same for reading.
  void visit_state(const Visitor<const Tensor<float>>& f) const {
    // The visit itself changes nothing, and f gets tensors that it cannot change.
    const_cast<Optimizer&>(*this).visit_state(Visitor<Tensor<float>>(f));
  }

  /// Bytes of state for each number of the parameters, on average: what the estimate of memory counts. One that was made for
  /// no parameters says the same.
  virtual double bytes_per_parameter() const = 0;
};

/// Name and settings.
inline std::string describe(const Optimizer& optimizer) {
  const std::string settings = optimizer.settings();
  return optimizer.name() + (settings.empty() ? "" : " (" + settings + ")");
}

/// Makes an optimiser with a fresh state for `parameters`; for none, where it is only asked about itself.
using OptimizerFactory =
    std::function<std::unique_ptr<Optimizer>(const TrainConfig& config, std::span<const Parameter> parameters)>;

/// The optimiser that the settings of a run say. A new optimiser that settings can name has its line here.
std::unique_ptr<Optimizer> make_optimizer(const TrainConfig& config, std::span<const Parameter> parameters);

}  // namespace megalith
