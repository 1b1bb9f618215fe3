// SPDX-License-Identifier: Apache-2.0
// Pictures and sounds inside of pages.
#include "page/embedded.h"

#include <gtest/gtest.h>

#include "media/files.h"
#include "page/html.h"
#include "support/base64.h"

namespace megalith::page {
namespace {

using tests::bytes_of, tests::embedded, tests::from_base64, tests::text_of;

TEST(Embedded, Base64OfTheRfc) {
  const auto of = [](std::string_view bytes) { return base64(bytes_of(bytes)); };
  // RFC 4648, section 10.
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("f"), "Zg==");
  EXPECT_EQ(of("fo"), "Zm8=");
  EXPECT_EQ(of("foo"), "Zm9v");
  EXPECT_EQ(of("foob"), "Zm9vYg==");
  EXPECT_EQ(of("fooba"), "Zm9vYmE=");
  EXPECT_EQ(of("foobar"), "Zm9vYmFy");
  EXPECT_EQ(of("\xFB\xFF\xBF"), "+/+/");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(from_base64(of(all)), all);
}

TEST(Embedded, APictureIsEnlargedByWholeNumbers) {
  const media::Picture picture{.width = 3, .height = 2, .channels = 3, .pixels = std::vector<std::uint8_t>(18, 7)};
  const std::string html = image_html(picture, "a \"<b>\"", 10);
  EXPECT_EQ(html.find("<img width=\"9\" height=\"6\" alt=\"a &quot;&lt;b&gt;&quot;\" src=\"data:image/bmp;base64,"), 0u)
      << html;
  ASSERT_EQ(embedded(html, "image/bmp").size(), 1u);
  EXPECT_EQ(media::read_bmp(bytes_of(embedded(html, "image/bmp")[0])).pixels, picture.pixels);
  EXPECT_NE(image_html(picture, "", 2).find("width=\"3\" height=\"2\""), std::string::npos) << "and never made smaller";
}

TEST(Embedded, ASoundHasWholeFrames) {
  const std::string html = sound_html({media::kS16, 16000, 2}, bytes_of("abcdefghij"), "it's");
  EXPECT_EQ(html.find("<audio controls aria-label=\"it&#39;s\" src=\"data:audio/wav;base64,"), 0u) << html;
  EXPECT_TRUE(html.ends_with("\"></audio>"));
  ASSERT_EQ(embedded(html, "audio/wav").size(), 1u);
  const media::Sound sound = media::read_wav(bytes_of(embedded(html, "audio/wav")[0]));
  EXPECT_EQ(text_of(sound.samples), "abcdefgh");
  EXPECT_EQ(sound.format, (media::SoundFormat{media::kS16, 16000, 2}));
  EXPECT_EQ(sound.note, "");
}

/// A browser shows nothing that the policy of the page forbids, and says so nowhere.
TEST(Embedded, PagesAllowWhatTheyHold) {
  const std::string page = document("x", "", "");
  const std::size_t policy = page.find("default-src 'none'");
  ASSERT_NE(policy, page.npos);
  for (const char* part : {"; img-src data:", "; media-src data:"}) EXPECT_NE(page.find(part, policy), page.npos) << part;
}

}  // namespace
}  // namespace megalith::page
