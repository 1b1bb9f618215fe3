// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/weighted_windows.h"

#include <cmath>
#include <iomanip>
#include <numeric>

#include "megalith/core/check.h"

namespace megalith {

WeightedWindows::WeightedWindows(const std::vector<WeightedSource>& sources, Index length, RandomKey key,
                                 const RecordConfig& record)
    : key_(key.child(0)) {
  check(!sources.empty(), "no training data: name at least one source");
  for (const WeightedSource& source : sources) {
    const std::uint64_t number = windows_.size() + 1;
    check(std::isfinite(source.weight) && source.weight > 0, "the weight of source ", number, " is ", source.weight,
          ", and must be above 0");
    windows_.push_back(make_windows(source.data, length, key.child(number), record));
    weights_.push_back(source.weight);
  }
  check(std::isfinite(std::accumulate(weights_.begin(), weights_.end(), 0.0)),
        "the weights of the sources add up to more than a number can be; give smaller ones");
}

void WeightedWindows::fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const {
  const RandomKey key = key_.child(static_cast<std::uint64_t>(step));
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  const std::size_t size = static_cast<std::size_t>(length);
  for (std::size_t window = 0; window * size < bytes.size(); ++window) {
    const Index number = first + static_cast<Index>(window);
    double left = random_uniform(key, static_cast<std::uint64_t>(number)) * sum;
    std::size_t source = 0;
    while (source + 1 < weights_.size() && left >= weights_[source]) left -= weights_[source++];
    windows_[source]->fill(step, number, length, bytes.subspan(window * size, size));
  }
}

std::string WeightedWindows::describe() const {
  std::string weights, data;  // weights first: a message may cut what is long
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    weights += text(i == 0 ? "" : ":", std::setprecision(17), weights_[i]);
    data += (i == 0 ? "" : "; ") + windows_[i]->describe();
  }
  return text("weights ", weights, " of ", data);
}

}  // namespace megalith
