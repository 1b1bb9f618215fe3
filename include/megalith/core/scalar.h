// SPDX-License-Identifier: Apache-2.0
// Eigen's matrices and views of a scalar type, as the library uses them.
#pragma once

#include <Eigen/Core>
#include <type_traits>

#include "megalith/core/instruction_set.h"
#include "megalith/core/shape.h"

namespace megalith {

/// Row-major: a position's channels are contiguous, and (B,T,C) is (B*T, C) without a copy.
template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class S>
using RowVector = Eigen::Matrix<S, 1, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {
template <class S, class Plain>
using LikeConst = std::conditional_t<std::is_const_v<S>, const Plain, Plain>;
}

/// A view of a contiguous row-major matrix; read-only for a const S.
template <class S>
using MatrixMap = Eigen::Map<detail::LikeConst<S, Matrix<std::remove_const_t<S>>>>;

/// A view of a contiguous row of numbers; read-only for a const S.
template <class S>
using RowMap = Eigen::Map<detail::LikeConst<S, RowVector<std::remove_const_t<S>>>>;

template <class S>
RowMap<S> row_map(S* data, Index size) {
  return RowMap<S>(data, size);
}

}  // namespace megalith
