// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/stop_strings.h"

#include <gtest/gtest.h>

#include "megalith/core/random.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

/// What comes out of `text`; `held` is the most that was ever held back.
std::string through(const std::vector<std::string>& strings, const std::string& text, std::size_t* held = nullptr) {
  StopStrings stop(strings);
  std::string out;
  for (std::size_t i = 0; i < text.size() && !stop.stopped(); ++i) {
    out += stop.next(static_cast<std::uint8_t>(text[i]));
    if (held != nullptr && !stop.stopped()) *held = std::max(*held, i + 1 - out.size());
  }
  return out + std::string(stop.rest());
}

TEST(StopStrings, EndsBeforeTheFirst) {
  EXPECT_EQ(through({"end"}, "the end of it"), "the ");
  EXPECT_EQ(through({"end", "\n"}, "one\nend"), "one");
  EXPECT_EQ(through({"end"}, "end"), "");
  EXPECT_EQ(through({std::string("\0\xff", 2)}, std::string("a\0b\0\xff", 5)), std::string("a\0b", 3));
}

TEST(StopStrings, LetsTheRestThrough) {
  EXPECT_EQ(through({}, "all of it"), "all of it");
  EXPECT_EQ(through({"none"}, "no nonsense, non"), "no nonsense, non");  // three of four bytes at the end
}

TEST(StopStrings, FallsBackToAShorterStart) {
  EXPECT_EQ(through({"aab"}, "aaaab"), "aa");
  EXPECT_EQ(through({"abab!"}, "xababab!y"), "xab");
  EXPECT_EQ(through({"abcd", "bce"}, "abce"), "a");
}

TEST(StopStrings, OfTwoAtOneByteTheLonger) {
  EXPECT_EQ(through({"b", "ab"}, "xab"), "x");
  EXPECT_EQ(through({"ab", "b"}, "xab"), "x");
}

TEST(StopStrings, AreFoundAsInTheWholeText) {
  // Few letters, so that starts overlap: where the first occurrence ends, seen from the whole text.
  for (std::uint64_t n = 0; n < 300; ++n) {
    const RandomKey key = RandomKey{9}.child(n);
    std::uint64_t counter = 0;
    const auto random_text = [&](std::size_t size) {
      std::string s;
      while (s.size() < size) s += static_cast<char>('a' + random_bits(key, counter++) % 2);
      return s;
    };
    const std::vector<std::string> strings{random_text(3 + n % 3), random_text(5)};
    const std::string text = random_text(60);
    std::size_t end = std::string::npos, begin = text.size(), longest = 0;
    for (const std::string& s : strings) {
      longest = std::max(longest, s.size());
      const std::size_t at = text.find(s);
      if (at == std::string::npos) continue;
      if (at + s.size() < end || (at + s.size() == end && at < begin)) end = at + s.size(), begin = at;
    }
    std::size_t held = 0;
    EXPECT_EQ(through(strings, text, &held), text.substr(0, begin)) << strings[0] << " " << strings[1] << " " << text;
    EXPECT_LT(held, longest);
  }
}

TEST(StopStrings, BytesGoOutAtOnceWhenTheyMay) {
  StopStrings stop({"ab"});
  EXPECT_EQ(stop.next('x'), "x");
  EXPECT_EQ(stop.next('a'), "");
  EXPECT_EQ(stop.next('a'), "a");
  EXPECT_EQ(stop.next('b'), "");
  EXPECT_TRUE(stop.stopped());
  EXPECT_EQ(stop.next('c'), "");
  EXPECT_EQ(stop.rest(), "");
}

TEST(StopStrings, Errors) {
  EXPECT_ERROR(StopStrings({"a", ""}), "0 bytes");
  EXPECT_ERROR(StopStrings({std::string(257, 'a')}), "257 bytes");
}

}  // namespace
}  // namespace megalith
