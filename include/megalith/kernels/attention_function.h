// SPDX-License-Identifier: Apache-2.0
// What attention makes of a row of scores: softmax, or a function of each score by itself.
#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <type_traits>

#include "megalith/core/fields.h"
#include "megalith/core/scalar.h"
#include "megalith/kernels/math.h"

namespace megalith {

/// laplace: (1 + erf((x - mu) / (sigma sqrt(2)))) / 2 with mu = sqrt(1/2), sigma = sqrt(1/(4 pi)), which comes close to the
/// squared ReLU and has a bounded slope (Ma et al. 2022, 3.4). relu_squared: max(x, 0)^2 (So et al. 2021, "Primer").
enum class AttentionFunction { softmax, laplace, relu_squared };
template <>
inline constexpr std::array<std::string_view, 3> kNames<AttentionFunction>{"softmax", "laplace", "relu_squared"};

namespace detail {

/// t of Laplace's function, which is (1 + erf(t)) / 2 and has the slope sqrt(2) exp(-t^2).
template <class S>
void laplace_argument(RowMap<S> x) {
  x.array() = (x.array() - S(std::numbers::sqrt2 / 2)) * S(std::sqrt(2 * std::numbers::pi));
}

/// (1 + erf(t)) / 2 into f, which may be t. In float erfc(|t|) is exp(-t^2) times a polynomial of k = 1 / (1 + 0.33 |t|),
/// fitted to a relative error of 8e-8 before float rounds it: a call of erf for each score would take longer than the
/// products.
template <class S>
void half_one_plus_erf(RowMap<const S> t, RowMap<S> f, [[maybe_unused]] S* spare) {
  if constexpr (std::is_same_v<S, float>) {
    auto k = row_map(spare, t.size()).array();
    k = (t.array().abs() * 0.33f + 1.0f).inverse();
    k = (((((((k * -0.135928838f + 0.462688402f) * k - 0.355439249f) * k + 0.412541903f) * k + 0.0450104771f) * k +
           0.201923879f) *
              k +
          0.182837232f) *
             k +
         0.186366111f) *
        k * math::exp(-t.array().square()) * 0.5f;
    f.array() = (t.array() > 0.0f).select(1.0f - k, k);
  } else {
    f = t.unaryExpr([](const S& v) {
      using std::erf;
      return (S(1) + erf(v)) * S(0.5);
    });
  }
}

}  // namespace detail

/// The weights of the keys that one query sees, from its products with them: f(product scale + bias), the keys being in the
/// order of their positions and the last one the query's own.
template <class S>
struct AttentionWeights {
  AttentionFunction function = AttentionFunction::softmax;
  const S* bias = nullptr;  // of the distances 0, 1, ...; null: none
  double softmax_scale = 1;

  /// Element-wise functions divide by the number of keys that the query sees, as the authors' code does.
  S scale(Index keys) const {
    return S(function == AttentionFunction::softmax ? softmax_scale : 1 / static_cast<double>(keys));
  }

  /// Products become weights. `spare` has as much room as the row. A softmax leaves the log of its sum in log_sum.
  void forward(RowMap<S> row, S* spare, S& log_sum) const {
    score(row);
    auto x = row.array();
    if (function == AttentionFunction::softmax) {
      const S top = math::max(x);
      x = math::exp(x - top);
      const S sum = math::sum(x);
      x *= S(1) / sum;
      log_sum = top + math::log(sum);
    } else if (function == AttentionFunction::laplace) {
      detail::laplace_argument<S>(row);
      detail::half_one_plus_erf<S>(RowMap<const S>(row.data(), row.size()), row, spare);
    } else {
      x = x.max(S(0)).square();
    }
  }

  /// Products become weights, and the gradient of the weights becomes that of the products. The gradient of the bias is
  /// added to d_bias, unless that is null.
  void backward(RowMap<S> row, RowMap<S> d_row, S* spare, S log_sum, S* d_bias) const {
    score(row);
    auto x = row.array();
    auto d = d_row.array();
    if (function == AttentionFunction::softmax) {
      x = math::exp(x - log_sum);
      const S mean = math::sum(x * d);
      d = x * (d - mean);
    } else if (function == AttentionFunction::laplace) {
      detail::laplace_argument<S>(row);
      d *= math::exp(-x.square()) * S(std::numbers::sqrt2);
      detail::half_one_plus_erf<S>(RowMap<const S>(row.data(), row.size()), row, spare);
    } else {
      x = x.max(S(0));
      d *= x * S(2);
      x = x.square();
    }
    if (d_bias != nullptr) row_map(d_bias, row.size()) += d_row.reverse();
    d *= scale(row.size());
  }

 private:
  /// Key j of n stands n - 1 - j positions before the query.
  void score(RowMap<S> row) const {
    const S factor = scale(row.size());
    if (bias == nullptr) row *= factor;
    else row = row * factor + row_map(bias, row.size()).reverse();
  }
};

}  // namespace megalith
