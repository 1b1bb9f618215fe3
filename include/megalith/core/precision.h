// SPDX-License-Identifier: Apache-2.0
// What the operands of products are rounded to.
#pragma once

#include <algorithm>
#include <string_view>

#include "megalith/core/check.h"
#include "megalith/core/fields.h"

namespace megalith {

/// What the operands of products are rounded to on their way in; sums, parameters and everything else stay in the scalar.
/// bf16 concerns float alone and needs instructions of the machine: whoever sets it asks has_bf16_gemm() (kernels/gemm.h)
/// first. The products inside of attention stay in fp32.
enum class Precision { fp32, bf16 };

template <>
inline constexpr std::array<std::string_view, 2> kNames<Precision>{"fp32", "bf16"};

inline std::string_view to_string(Precision precision) { return kNames<Precision>.at(static_cast<std::size_t>(precision)); }

/// Throws Error for a name that there is not.
inline Precision parse_precision(std::string_view name) {
  const auto found = std::find(kNames<Precision>.begin(), kNames<Precision>.end(), name);
  check(found != kNames<Precision>.end(), "there is no precision \"", name, "\"; choose fp32 or bf16");
  return static_cast<Precision>(found - kNames<Precision>.begin());
}

}  // namespace megalith
