// SPDX-License-Identifier: Apache-2.0
// Bytes coloured by what surprises a model: rows, and the page of them.
#include "page/surprise_map.h"

#include <gtest/gtest.h>

#include "page/byte_rows.h"
#include "page/utf8.h"
#include "support/count.h"

namespace megalith::page {
namespace {

using tests::count;

std::string repeated(int times, const std::string& piece) {
  std::string all;
  for (int i = 0; i < times; ++i) all += piece;
  return all;
}

ScoredBytes scored(const std::string& text, const std::vector<float>& bits) { return {text, bits}; }

TEST(ByteRows, LinesHaveNumbersAndLongOnesOffsets) {
  const auto labels = [](const std::string& text) {
    std::string all;
    std::size_t end = 0;
    for (const ByteRow& row : text_rows(text)) {
      EXPECT_EQ(row.begin, end);
      EXPECT_GT(row.end, row.begin);
      end = row.end;
      all += row.label + " ";
    }
    EXPECT_EQ(end, text.size());
    return all;
  };
  EXPECT_EQ(labels(""), "");
  EXPECT_EQ(labels("one\n\nthree"), "1 2 3 ");
  EXPECT_EQ(labels("one\n"), "1 ");
  EXPECT_EQ(labels(repeated(700, "x") + "\ny"), "1 +320 +640 2 ");
  EXPECT_EQ(labels(repeated(260, "x") + " " + repeated(100, "y")), "1 +261 ") << "behind a space, where one comes";
  EXPECT_EQ(labels("x" + repeated(300, "\xC3\xA9")), "1 +321 ") << "not within a character";
}

TEST(ByteRows, TellsBinariesFromText) {
  EXPECT_FALSE(is_binary(""));
  EXPECT_FALSE(is_binary("a\r\nb\r\n\r\n\033[1mé😀"));
  EXPECT_FALSE(is_binary(repeated(200, "x") + "\xFF\xFE"));
  EXPECT_TRUE(is_binary(repeated(10000, "x") + '\0'));
  EXPECT_TRUE(is_binary("\x01\x02\xFF abcdefgh"));
}

TEST(ByteRows, HexadecimalBesideAscii) {
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += static_cast<char>(i == 3 ? '<' : i * 13);
  std::vector<float> bits(20, 0.25f);
  bits[3] = 12.5f, bits[19] = 1;
  const std::vector<ByteRow> rows = hex_rows(bytes);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].label, "000010");
  EXPECT_EQ(hex_offset(0x1234567), "1234567");
  const std::string first = hex_row_html(scored(bytes, bits), rows[0], "r1"),
                    last = hex_row_html(scored(bytes, bits), rows[1], "");
  EXPECT_EQ(first.find("<tr id=r1><th>000000<td><span><i title=0.25>00</i> "), 0u) << first;
  EXPECT_NE(first.find(" <i class=h8 title=12.50>3c</i> <i title=0.25>34</i>"), std::string::npos) << first;
  EXPECT_NE(first.find("<td><span><i>···</i><i class=h8>&lt;</i><i>4AN[</i></span><span><i>hu"), std::string::npos) << first;
  EXPECT_NE(first.find("<td><i class=h2>1.02</i><td>16.2\n"), std::string::npos) << first;  // (15 / 4 + 12.5) / 16
  EXPECT_EQ(count(last, " title="), 4u);
  EXPECT_NE(last.find("<td><i>0.44</i><td>1.8\n"), std::string::npos) << last;
}

TEST(ByteRows, TheMostSurprisingAreFoundAndShownWhole) {
  const std::string text = "first line\nthe \xC3\xA9\tnd";
  std::vector<float> bits(text.size(), 1);
  bits[2] = 3, bits[15] = 2, bits[16] = 9, bits[17] = 4;
  const ScoredBytes all = scored(text, bits);
  const std::vector<Surprise> most = most_surprising(all, 3, false);
  ASSERT_EQ(most.size(), 3u);
  EXPECT_EQ(most[0].begin, 15u);
  EXPECT_EQ(most[0].end, 17u);
  EXPECT_EQ(most[0].bits, 9);
  EXPECT_EQ(most[1].begin, 17u);
  EXPECT_EQ(most[2].begin, 2u);
  EXPECT_EQ(in_context(all, most[0], false), "first line<s>↵</s>the <i class=h7 title=2.00+9.00>\xC3\xA9</i> nd");
  const std::vector<Surprise> bytes = most_surprising(all, 1, true);
  ASSERT_EQ(bytes.size(), 1u);
  EXPECT_EQ(bytes[0].begin, 16u);
  EXPECT_EQ(in_context(all, bytes[0], true), "68 65 20 c3 <i class=h7>a9</i> 09 6e 64");
  EXPECT_TRUE(most_surprising(all, 0, false).empty());
}

TEST(SurpriseMap, ColoursWhatItShowsAndNoMore) {
  SurpriseMap map(72);
  const std::string text = "a<\xC3\xA9\xFFz?";
  const std::vector<float> bits{0.2f, 1.5f, 3, 9, 20, 0, 1};
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const std::string more = repeated(63, ".") + "\n";
  const auto others = std::span(reinterpret_cast<const std::uint8_t*>(more.data()), more.size());
  map.add("f<1>", 0, bytes.first(3), std::span(bits).first(3));  // a character may lie across two windows
  map.add("f<1>", 3, bytes.subspan(3, 2), std::span(bits).subspan(3, 2));
  map.add("f<1>", 5, others, std::vector<float>(64, 0.5f));
  EXPECT_FALSE(map.full());
  map.add("second", 0, bytes.subspan(5), std::span(bits).subspan(5));
  EXPECT_FALSE(map.full());
  map.add("third", 0, std::span(reinterpret_cast<const std::uint8_t*>("\xE2\x82\xAC"), 3), std::vector<float>{1, 1, 1});
  EXPECT_TRUE(map.full());
  map.add("fourth", 0, bytes, bits);
  const std::string all = map.html("run", 1000, 2.5);
  EXPECT_NE(all.find("<i class=h2 title=1.50>&lt;</i>"), std::string::npos) << all;
  EXPECT_NE(all.find("<i class=h7 title=3.00+9.00>\xC3\xA9</i>"), std::string::npos) << all;
  EXPECT_NE(all.find("<i class=h8 title=20.00><b class=hex>ff</b></i>"), std::string::npos) << all;
  EXPECT_NE(all.find("<s class=h1 title=0.50>↵</s><td><i class=h1>0.95</i><td>65.7\n"), std::string::npos) << all;
  EXPECT_NE(all.find("<tr><th>20.00<td>a&lt;\xC3\xA9<i"), std::string::npos) << all;
  EXPECT_NE(all.find("<td><a href=#r1-1>1</a><td>4\n"), std::string::npos) << all;
  EXPECT_EQ(count(all, "<tr id=r1-1>"), 1u) << all;
  EXPECT_NE(all.find("f&lt;1&gt;"), std::string::npos);
  EXPECT_EQ(all.find("fourth"), std::string::npos);
  EXPECT_NE(all.find("the first 71 are shown"), std::string::npos);
  EXPECT_NE(all.find("<i class=\"h4\">3–4.5</i>"), std::string::npos) << "the legend tells where a colour ends";
  EXPECT_EQ(all.find(" sign "), std::string::npos) << "what readers know as a character";
}

TEST(SurpriseMap, EndsWithAWholeCharacter) {
  EXPECT_EQ(cut_character("ab\xE2\x82"), 2u);
  EXPECT_EQ(cut_character("ab\xE2"), 1u);
  EXPECT_EQ(cut_character("\xF0\x9F\x98"), 3u);
  for (const char* whole : {"", "ab", "\xC3\xA9", "\xE2\x82\xAC", "\x80\x80\x80\x80", "\xFF\x80\x80\x80"})
    EXPECT_EQ(cut_character(whole), 0u);
  const std::string text = repeated(3, "abcdefghij") + "\xE2\x82\xAC";
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const auto page = [&](std::int64_t shown, std::int64_t total) {
    SurpriseMap map(shown);
    map.add("f", 0, bytes, std::vector<float>(text.size(), 1));
    return map.html("run", total, 1);
  };
  EXPECT_NE(page(32, 33).find("the first 30 are shown"), std::string::npos);
  EXPECT_EQ(page(32, 33).find("<b class=hex>"), std::string::npos);
  EXPECT_NE(page(33, 33).find("title=1.00+1.00+1.00>\xE2\x82\xAC<"), std::string::npos);
  EXPECT_NE(page(32, 32).find("<b class=hex>"), std::string::npos) << "a file that ends there shows all that it has";
}

/// Most of the page is boxes: what one byte of a file takes is bounded.
TEST(SurpriseMap, PagesStaySmall) {
  const auto bytes_of_page = [](const std::string& piece) {
    SurpriseMap map(20000);
    const std::string text = repeated(1000, piece);
    for (int file = 0; file < 20; ++file)
      map.add("f", 0, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), 1000), std::vector<float>(1000, 13.f));
    return static_cast<double>(map.html("run", 20000, 13).size()) / 20000;
  };
  EXPECT_LT(bytes_of_page("some words of a line of text that is about as long as others\n"), 38);
  EXPECT_LT(bytes_of_page("\n"), 85);
  EXPECT_LT(bytes_of_page(std::string("\0<", 2)), 60);
}

}  // namespace
}  // namespace megalith::page
