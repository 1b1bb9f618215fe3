// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/check.h"

#include <gtest/gtest.h>

namespace megalith {
namespace {

TEST(Check, ThrowsTheJoinedMessage) {
  EXPECT_NO_THROW(check(true, "not ", 1));
  try {
    check(false, "sequence length ", 10, " is not a multiple of the patch size ", 8);
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "sequence length 10 is not a multiple of the patch size 8");
  }
}

TEST(Check, IsARuntimeError) { EXPECT_THROW(check(false, "no"), std::runtime_error); }

}  // namespace
}  // namespace megalith
