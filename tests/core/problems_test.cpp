// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/problems.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(Problems, NoneIsNoError) {
  Problems problems;
  EXPECT_TRUE(problems.unless(true, "n", " is never printed"));
  EXPECT_TRUE(problems.range("n", 3, 3, 3));
  EXPECT_TRUE(problems.not_negative("n", 0.0));
  EXPECT_EQ(problems.count(), 0u);
  EXPECT_NO_THROW(problems.report("here: "));
}

TEST(Problems, AllArePrintedAtOnce) {
  Problems problems;
  EXPECT_FALSE(problems.unless(false, "a", " = ", 1, " is odd"));
  EXPECT_FALSE(problems.range("n", 4, 1, 3));
  EXPECT_FALSE(problems.require(false, "m", 0.5, "from 1 to ", 3));
  EXPECT_ERROR(problems.report("in ", "here: "),
               "in here: a = 1 is odd; n must be from 1 to 3, not 4; m is 0.5, and must be from 1 to 3");
}

TEST(Problems, NotNegative) {
  Problems problems;
  EXPECT_FALSE(problems.not_negative("a", -1));
  EXPECT_FALSE(problems.not_negative("b", -0.5));
  EXPECT_FALSE(problems.not_negative("c", std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(problems.not_negative("d", std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(problems.all(),
            "a is -1, and must be 0 or more; b is -0.5, and must be 0 or more; c is inf, and must be 0 or more; d is nan, "
            "and must be 0 or more");
}

TEST(Problems, OfAValueThatWasNotReadAreLeftOut) {
  Problems problems;
  problems.leave_out("a.unit");
  problems.leave_out("b[0]");
  problems.add("a.unit", " must be 1");
  problems.add({"b", "a.unit"}, " = 2 does not divide a.unit = 3");
  problems.add("b[0].unit", " is 1");
  problems.add("a.unit[3]", " is 1");
  EXPECT_EQ(problems.count(), 0u);
  // It is the fields that decide, not the words.
  problems.add("x", " with a.unit");
  for (const char* field : {"a", "a.units", "ba.unit", "c.a.unit", "b[1]"}) problems.add(field, " is 1");
  EXPECT_EQ(problems.all(), "x with a.unit; a is 1; a.units is 1; ba.unit is 1; c.a.unit is 1; b[1] is 1");
}

TEST(Problems, ArePrintedUpToALimit) {
  Problems problems;
  for (int i = 0; i < 16; ++i) problems.add(text("p", i));
  EXPECT_FALSE(problems.full());
  problems.add("p16");
  EXPECT_TRUE(problems.full());
  problems.add("p17");
  EXPECT_EQ(problems.count(), 18u);
  EXPECT_EQ(problems.all().substr(0, 7), "p0; p1;");
  EXPECT_TRUE(problems.all().ends_with("p15; and 2 more")) << problems.all();
}

}  // namespace
}  // namespace megalith
