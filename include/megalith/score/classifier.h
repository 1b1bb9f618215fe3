// SPDX-License-Identifier: Apache-2.0
// To which of several models bytes belong.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "megalith/score/record_scorer.h"

namespace megalith {

/// The surprisal of a byte, in bits, where one in 256 bytes is taken to be foreign, any value as likely as another:
/// -log2((1 - 1/256) 2^-bits + (1/256) / 256). So no byte costs more than 16 bits, and what a model has never seen does not
/// decide alone; a byte that was certain costs 0.006 bits more. Not a number stays what it is.
double with_floor(double bits);

/// What bytes cost under each of several models, and how likely they belong to each.
struct Classes {
  std::vector<double> bits;           // with_floor(), summed over the bytes
  std::vector<double> probabilities;  // they add up to 1
  std::size_t best = 0;               // the likeliest; of equal ones, the first

  /// Of models that were equally likely before the bytes came: 2^-bits of each over their sum. Throws Error where bits are
  /// not finite numbers.
  static Classes of(std::vector<double> bits);
};

/// Tells which of several models expects bytes most. A model stands for the texts that it was trained on; the models need
/// not be alike, but one that learned more has an advantage.
class Classifier {
 public:
  /// The models, 1 or more, and the workspace must outlive this.
  Classifier(const std::vector<const AnyModel*>& models, Workspace& workspace);

  /// Of each record by itself; of an empty one, the models are equally likely.
  std::vector<Classes> classify(std::span<const std::string_view> records);

 private:
  std::vector<RecordScorer> scorers_;
};

}  // namespace megalith
