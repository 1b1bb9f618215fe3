// SPDX-License-Identifier: Apache-2.0
#include "media/sheet.h"

#include <gtest/gtest.h>

#include "files.h"
#include "media/fit.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using namespace std::string_literals;
using tests::bytes_of, tests::text_of;

TEST(Sheet, RowsOfPictures) {
  const Picture all = sheet({2, 2, 1}, 2, bytes_of("abcdABCD0123"));
  EXPECT_EQ(all.width, 4);
  EXPECT_EQ(all.height, 4);
  EXPECT_EQ(all.channels, 1);
  EXPECT_EQ(text_of(all.pixels),
            "abAB"
            "cdCD"
            "01\0\0"
            "23\0\0"s);
}

TEST(Sheet, IsNoWiderThanItsPictures) {
  const Picture all = sheet({1, 1, 3}, 100, bytes_of("abcdefg"));
  EXPECT_EQ(all.width, 2);
  EXPECT_EQ(text_of(all.pixels), "abcdef") << "g is no whole picture";
  EXPECT_ERROR(sheet({2, 2, 3}, 1, bytes_of("abc")), "there are 3 bytes, and a picture of 2 x 2 x 3 has 12");
  EXPECT_ERROR(sheet({1 << 24, 1 << 24, 3}, 1, bytes_of("abc")), "there are 3 bytes");
}

TEST(Sheet, TilesOfItAreThePictures) {
  const std::string bytes = "abcdefABCDEF012345xyzXYZ";
  std::string again;
  for (const Picture& tile : fitted(sheet({2, 3, 1}, 2, bytes_of(bytes)), {2, 3}, Fit::tile)) again += text_of(tile.pixels);
  EXPECT_EQ(again, bytes);
}

TEST(Sheet, NearlySquare) {
  EXPECT_EQ(square_columns({64, 64, 3}, 1), 1);
  EXPECT_EQ(square_columns({64, 64, 3}, 16), 4);
  EXPECT_EQ(square_columns({64, 64, 3}, 1145), 34);
  EXPECT_EQ(square_columns({10, 40, 3}, 16), 8);
  EXPECT_EQ(square_columns({40, 10, 3}, 16), 2);
  EXPECT_EQ(square_columns({1, 1000, 3}, 3), 3);
  EXPECT_EQ(square_columns({1000, 1, 3}, 3), 1);
}

}  // namespace
}  // namespace megalith::media
