// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/problems.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(Problems, NoneIsNoError) {
  Problems problems;
  problems.unless(true, "never said");
  EXPECT_TRUE(problems.range("n", 3, 3, 3));
  EXPECT_EQ(problems.count(), 0u);
  EXPECT_NO_THROW(problems.report("here: "));
}

TEST(Problems, AllAreSaidAtOnce) {
  Problems problems;
  problems.unless(false, "a = ", 1, " is odd");
  EXPECT_FALSE(problems.range("n", 4, 1, 3));
  EXPECT_FALSE(problems.range("m", 0, 1, 3));
  EXPECT_ERROR(problems.report("in ", "here: "),
               "in here: a = 1 is odd; n must be from 1 to 3, not 4; m must be from 1 to 3, not 0");
}

TEST(Problems, OfAValueThatWasNotReadAreLeftOut) {
  Problems problems;
  problems.leave_out("a.unit");
  problems.leave_out("b[0]");
  for (const char* words : {"a.unit must be 1", "b = 2 does not divide a.unit = 3", "x with a.unit", "b[0].unit is 1"})
    problems.unless(false, words);
  EXPECT_EQ(problems.count(), 0u);
  for (const char* words : {"a.units is 1", "ba.unit is 1", "c.a.unit is 1", "b[1] is 1"}) problems.unless(false, words);
  EXPECT_EQ(problems.all(), "a.units is 1; ba.unit is 1; c.a.unit is 1; b[1] is 1");
}

TEST(Problems, AreSaidUpToALimit) {
  Problems problems;
  for (int i = 0; i < 16; ++i) problems.unless(false, "p", i);
  EXPECT_FALSE(problems.full());
  problems.unless(false, "p16");
  EXPECT_TRUE(problems.full());
  problems.unless(false, "p17");
  EXPECT_EQ(problems.count(), 18u);
  EXPECT_EQ(problems.all().substr(0, 7), "p0; p1;");
  EXPECT_TRUE(problems.all().ends_with("p15; and 2 more")) << problems.all();
}

}  // namespace
}  // namespace megalith
