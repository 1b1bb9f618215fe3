// SPDX-License-Identifier: Apache-2.0
// A scalar without a value: a module over it knows the shape of everything that it would hold, and holds nothing.
#pragma once

#include <algorithm>
#include <limits>

#include "megalith/core/tensor.h"

namespace megalith {

/// Stands for a number. `M<ShapeOnly>(config)` has the parameters of `M<float>(config)`, its Tape and State are as large,
/// and none of them takes memory: that is how a model says what it would need before it is made.
struct ShapeOnly {
  ShapeOnly() = default;
  explicit constexpr ShapeOnly(double) {}
};

/// Keeps dimensions, and counts the numbers of all tensors that live on this thread.
template <>
class Tensor<ShapeOnly> {
 public:
  static constexpr int kMaxRank = 4;

  Tensor() = default;
  explicit Tensor(std::initializer_list<Index> dims) : rank_(static_cast<int>(dims.size())) {
    assert(rank_ >= 1 && rank_ <= kMaxRank);
    std::copy(dims.begin(), dims.end(), dims_.begin());
    live_ += numbers();
  }
  Tensor(const Tensor& other) : rank_(other.rank_), dims_(other.dims_) { live_ += numbers(); }
  Tensor& operator=(const Tensor& other) {
    live_ += other.numbers() - numbers();
    rank_ = other.rank_;
    dims_ = other.dims_;
    return *this;
  }
  ~Tensor() { live_ -= numbers(); }

  std::span<const Index> dims() const { return {dims_.data(), static_cast<std::size_t>(rank_)}; }
  /// Its number of numbers, which may be more than an Index holds.
  double numbers() const {
    double product = rank_ == 0 ? 0 : 1;
    for (const Index d : dims()) product *= static_cast<double>(d);
    return product;
  }
  Index size() const {
    constexpr double kMax = 0x1.0p62;
    return static_cast<Index>(std::min(numbers(), kMax));
  }
  bool empty() const { return numbers() == 0; }
  Index cols() const { return rank_ == 0 ? 0 : dims_[static_cast<std::size_t>(rank_ - 1)]; }
  Index rows() const { return empty() ? 0 : static_cast<Index>(numbers() / static_cast<double>(cols())); }
  void fill(ShapeOnly) {}

  /// The numbers of all tensors over ShapeOnly that live on this thread.
  static double live() { return live_; }

 private:
  static inline thread_local double live_ = 0;
  int rank_ = 0;
  std::array<Index, kMaxRank> dims_{};
};

/// The numbers that what make() returns would hold.
template <class F>
double numbers_of(F&& make) {
  const double before = Tensor<ShapeOnly>::live();
  [[maybe_unused]] const auto made = make();
  return Tensor<ShapeOnly>::live() - before;
}

}  // namespace megalith
