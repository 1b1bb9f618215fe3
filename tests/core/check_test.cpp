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

/// Numbers as some programs want them, everywhere.
struct Grouping : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(Text, IsTheSameInEveryLocale) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouping));
  const std::string here = text(1234567, " ", 0.5);
  std::locale::global(before);
  EXPECT_EQ(here, "1234567 0.5");
}

}  // namespace
}  // namespace megalith
