// SPDX-License-Identifier: Apache-2.0
// Comparing with values from elsewhere.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "megalith/io/safetensors.h"

namespace megalith::tests {

template <class S>
constexpr double kTolerance = std::is_same_v<S, double> ? 1e-10 : 2e-5;

/// The largest difference over the largest value.
template <class S>
void expect_close(const std::string& what, std::span<const S> got, const std::vector<double>& want) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got[i])) << what << ", number " << i;
    difference = std::max(difference, std::abs(static_cast<double>(got[i]) - want[i]));
    largest = std::max(largest, std::abs(want[i]));
  }
  EXPECT_LE(difference, kTolerance<S> * largest) << what << ", of largest value " << largest;
}

/// A tensor of floats or doubles.
inline std::vector<double> numbers_of(const SafetensorsReader& file, const std::string& name) {
  const auto& info = file.info(name);
  const std::size_t bytes = info.end - info.begin;
  if (info.dtype == DType::f64) {
    std::vector<double> out(bytes / sizeof(double));
    file.read(name, std::span(out));
    return out;
  }
  std::vector<float> out(bytes / sizeof(float));
  file.read(name, std::span(out));
  return {out.begin(), out.end()};
}

}  // namespace megalith::tests
