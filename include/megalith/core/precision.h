// SPDX-License-Identifier: Apache-2.0
// The precision of the operands of products.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "megalith/core/check.h"

namespace megalith {

/// What the operands of products are rounded to; sums, parameters and everything else stay in the scalar type. bf16 applies
/// to float only and needs instructions that not every machine has: ask has_bf16_gemm() (kernels/gemm.h) before setting it.
/// The products inside attention stay in fp32.
enum class Precision { fp32, bf16 };

inline constexpr std::array<std::string_view, 2> kPrecisionNames{"fp32", "bf16"};

inline std::string_view to_string(Precision precision) { return kPrecisionNames.at(static_cast<std::size_t>(precision)); }

/// Throws Error for an unknown name.
inline Precision parse_precision(std::string_view name) {
  const auto found = std::find(kPrecisionNames.begin(), kPrecisionNames.end(), name);
  check(found != kPrecisionNames.end(), "there is no precision \"", name, "\"; choose fp32 or bf16");
  return static_cast<Precision>(found - kPrecisionNames.begin());
}

}  // namespace megalith
