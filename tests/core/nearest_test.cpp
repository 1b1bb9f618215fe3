// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace megalith {
namespace {

TEST(Nearest, EditDistance) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("width", "width"), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("wdth", "width"), 1);    // inserted
  EXPECT_EQ(edit_distance("widdth", "width"), 1);  // removed
  EXPECT_EQ(edit_distance("wadth", "width"), 1);   // replaced
  EXPECT_EQ(edit_distance("wdith", "width"), 1);   // swapped
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3);
  EXPECT_EQ(edit_distance("ab", "ba"), 1);
  EXPECT_EQ(edit_distance("abcd", "badc"), 2);
}

TEST(Nearest, TakesTheClosestAndTheFirstAmongEquals) {
  const std::array<std::string, 4> names{"heads", "hidden", "window", "width"};
  EXPECT_EQ(nearest("wdith", names), "width");
  EXPECT_EQ(nearest("head", names), "heads");
  EXPECT_EQ(nearest("hiden", names), "hidden");
  EXPECT_EQ(nearest("", names), "heads");  // all of them are inserted letters: the shortest, and the first of those
  EXPECT_EQ(nearest("heads", names), "heads");
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  EXPECT_TRUE(is_near("wdith", "width"));
  EXPECT_TRUE(is_near("sine", "cosine"));  // two of six letters
  EXPECT_FALSE(is_near("sin", "cosine"));  // three
  EXPECT_FALSE(is_near("x", "y"));
  EXPECT_FALSE(is_near("", "heads"));
  const std::array<std::string, 4> names{"heads", "hidden", "window", "width"};
  EXPECT_EQ(suggestion("wdith", names), "; did you mean \"width\"?");
  EXPECT_EQ(suggestion("colour", names), "; choose from heads, hidden, window, width");
  EXPECT_EQ(suggestion("colour", std::vector<std::string>(33, "heads")), "");
}

}  // namespace
}  // namespace megalith
