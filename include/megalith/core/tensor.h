// SPDX-License-Identifier: Apache-2.0
// The one type that owns numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <initializer_list>
#include <memory>
#include <span>

#include "megalith/core/aligned_memory.h"
#include "megalith/core/scalar.h"
#include "megalith/core/shape.h"

namespace megalith {

/// A dense row-major array of up to four dimensions, all zero at first. Copying copies the numbers; assigning a tensor of
/// the same size reuses the memory.
template <class S>
class Tensor {
 public:
  static constexpr int kMaxRank = 4;

  Tensor() = default;
  explicit Tensor(std::initializer_list<Index> dims) : rank_(static_cast<int>(dims.size())) {
    assert(rank_ >= 1 && rank_ <= kMaxRank);
    std::copy(dims.begin(), dims.end(), dims_.begin());
    allocate();
    std::fill_n(data_.get(), size_, S(0));
  }
  Tensor(const Tensor& other) { *this = other; }
  Tensor(Tensor&& other) noexcept { swap(other); }
  Tensor& operator=(const Tensor& other) {
    if (this == &other) return *this;
    if (size_ != other.size_) {
      Tensor fresh;  // so that this tensor stays as it is if the allocation throws
      fresh.rank_ = other.rank_;
      fresh.dims_ = other.dims_;
      fresh.allocate();
      swap(fresh);
    }
    rank_ = other.rank_;
    dims_ = other.dims_;
    std::copy_n(other.data_.get(), size_, data_.get());
    return *this;
  }
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor(std::move(other)).swap(*this);
    return *this;
  }
  ~Tensor() = default;

  std::span<const Index> dims() const { return {dims_.data(), static_cast<std::size_t>(rank_)}; }
  Index size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// The last dimension.
  Index cols() const { return rank_ == 0 ? 0 : dims_[static_cast<std::size_t>(rank_ - 1)]; }
  /// All other dimensions together; 1 for a vector.
  Index rows() const { return cols() == 0 ? 0 : size_ / cols(); }

  S* data() { return data_.get(); }
  const S* data() const { return data_.get(); }
  S* row(Index i) { return data() + i * cols(); }
  const S* row(Index i) const { return data() + i * cols(); }

  /// (rows(), cols()) as an Eigen view.
  MatrixMap<S> mat() { return {data(), rows(), cols()}; }
  MatrixMap<const S> mat() const { return {data(), rows(), cols()}; }
  /// All numbers as one Eigen row.
  RowMap<S> vec() { return {data(), size_}; }
  RowMap<const S> vec() const { return {data(), size_}; }
  std::span<S> span() { return {data(), static_cast<std::size_t>(size_)}; }
  std::span<const S> span() const { return {data(), static_cast<std::size_t>(size_)}; }

  void fill(S value) { std::fill_n(data(), size_, value); }

 private:
  void swap(Tensor& other) noexcept {
    std::swap(rank_, other.rank_);
    std::swap(dims_, other.dims_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
  }
  void allocate() {
    size_ = rank_ == 0 ? 0 : 1;
    for (const Index d : dims()) size_ *= d;
    data_.reset();
    if (size_ == 0) return;
    data_ = detail::allocate_aligned<S>(static_cast<std::size_t>(size_) * sizeof(S));
  }

  int rank_ = 0;
  std::array<Index, kMaxRank> dims_{};
  Index size_ = 0;
  std::unique_ptr<S, detail::AlignedDelete> data_;
};

}  // namespace megalith
