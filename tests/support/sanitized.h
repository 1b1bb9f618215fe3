// SPDX-License-Identifier: Apache-2.0
// Whether the address sanitizer watches this build.
#pragma once

#include <type_traits>

#if defined(__SANITIZE_ADDRESS__)
#define MEGALITH_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEGALITH_SANITIZED 1
#endif
#endif
#ifndef MEGALITH_SANITIZED
#define MEGALITH_SANITIZED 0
#endif

namespace megalith::tests {

inline constexpr bool kSanitized = MEGALITH_SANITIZED;

/// Why a test over scalars that count or differentiate is left out there: such code uses memory as float does, which other
/// tests watch, and it would be most of what that build compiles.
inline constexpr const char* kNotUnderSanitizers = "the sanitizers watch the same code over float";

/// The scalar of tests that hold in any but for rounding: double, which tells an error from it. The sanitizers watch float
/// alone, which is what users run, and which packs operands.
using Exact = std::conditional_t<kSanitized, float, double>;
/// What rounding may change where that is `in_double` over double.
constexpr double exact(double in_double) { return kSanitized ? 1e-3 : in_double; }

}  // namespace megalith::tests
