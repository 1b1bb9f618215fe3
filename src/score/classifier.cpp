// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/classifier.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "megalith/core/check.h"

namespace megalith {
double with_floor(double bits) {
  constexpr double kForeign = 1.0 / 256;
  return -std::log2((1 - kForeign) * std::exp2(-bits) + kForeign / 256);
}

Classes Classes::of(std::vector<double> bits) {
  Classes classes;
  for (std::size_t i = 0; i < bits.size(); ++i)
    check(std::isfinite(bits[i]), "model ", i + 1, " gives costs that are not finite numbers; its weights are damaged");
  classes.best = static_cast<std::size_t>(std::min_element(bits.begin(), bits.end()) - bits.begin());
  double sum = 0;
  for (const double b : bits) sum += classes.probabilities.emplace_back(std::exp2(bits[classes.best] - b));
  for (double& p : classes.probabilities) p /= sum;
  classes.bits = std::move(bits);
  return classes;
}

Classifier::Classifier(const std::vector<const AnyModel*>& models, Workspace& workspace) {
  check(!models.empty(), "there is no model to choose");
  for (const AnyModel* model : models) scorers_.emplace_back(*model, workspace);
}

std::vector<Classes> Classifier::classify(std::span<const std::string_view> records) {
  std::vector<std::vector<double>> bits_of_model;
  for (RecordScorer& scorer : scorers_) {
    const std::span<const float> bits = scorer.score(records);
    std::vector<double>& sums = bits_of_model.emplace_back();
    std::size_t at = 0;
    for (const std::string_view record : records) {
      double sum = 0;
      for (const float b : bits.subspan(at, record.size())) sum += with_floor(static_cast<double>(b));
      sums.push_back(sum);
      at += record.size();
    }
  }
  std::vector<Classes> all;
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::vector<double> bits;
    for (const std::vector<double>& model : bits_of_model) bits.push_back(model[i]);
    all.push_back(Classes::of(std::move(bits)));
  }
  return all;
}

}  // namespace megalith
