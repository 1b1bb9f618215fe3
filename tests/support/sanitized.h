// SPDX-License-Identifier: Apache-2.0
// Whether the address sanitizer watches this build.
#pragma once

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

/// Why a test over scalars that count or differentiate is left out there: such code uses memory as double does, which other
/// tests watch, and it would be most of what that build compiles.
inline constexpr const char* kNotUnderSanitizers = "the sanitizers watch the same code over double and float";

}  // namespace megalith::tests
