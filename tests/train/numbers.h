// SPDX-License-Identifier: Apache-2.0
// Parameters of a test's own.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith::tests {

/// One parameter with a gradient beside it.
struct Numbers {
  Numbers(const std::string& name, Role role, std::initializer_list<float> values, std::initializer_list<float> gradients)
      : value({static_cast<Index>(values.size())}), gradient({static_cast<Index>(values.size())}) {
    std::copy(values.begin(), values.end(), value.data());
    std::copy(gradients.begin(), gradients.end(), gradient.data());
    values_list = {{name, role, &value}};
    gradients_list = {{name, role, &gradient}};
  }
  Tensor<float> value, gradient;
  std::vector<Parameter> values_list, gradients_list;
};

/// The numbers of all parameters, one after another.
inline std::vector<float> all_numbers(std::span<const Parameter> parameters) {
  std::vector<float> all;
  for (const Parameter& p : parameters) all.insert(all.end(), p.tensor->span().begin(), p.tensor->span().end());
  return all;
}

}  // namespace megalith::tests
