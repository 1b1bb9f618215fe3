// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/byte_history.h"

#include <gtest/gtest.h>

namespace megalith {
namespace {

using Ids = std::vector<ByteOrNone>;

/// What pending_bytes() writes when nothing comes.
Ids pending(const ByteHistory& h, Bytes bytes = {}) {
  Ids out(static_cast<std::size_t>(h.B * h.pending_count(bytes.T)));
  h.pending_bytes({bytes.data, h.B, bytes.T}, out.data());
  return out;
}

TEST(ByteHistory, KeepsTheLastPatchAndTheUnfinishedOne) {
  ByteHistory h(2, 3);
  EXPECT_EQ(pending(h), Ids(6, kNoByte));
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 11, 12, 13, 14};  // (2, 4)
  const Ids all = pending(h, {bytes.data(), 2, 4});
  EXPECT_EQ(all, (Ids{kNoByte, kNoByte, kNoByte, 1, 2, 3, 4, kNoByte, kNoByte, kNoByte, 11, 12, 13, 14}));
  h.append(all.data(), 4);
  EXPECT_EQ(h.position, 4);
  EXPECT_EQ(h.unfinished(), 1);
  EXPECT_EQ(pending(h), (Ids{1, 2, 3, 4, 11, 12, 13, 14}));
  h.rows_done = 2;
  EXPECT_TRUE(h.valid());
}

TEST(ByteHistory, OneByteAtATimeIsTheSame) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6, 7};
  ByteHistory at_once(1, 3), one_by_one(1, 3);
  const Ids all = pending(at_once, {bytes.data(), 1, 7});
  at_once.append(all.data(), 7);
  for (const std::uint8_t& byte : bytes) one_by_one.append(&byte);
  EXPECT_EQ(pending(one_by_one), pending(at_once));
  EXPECT_EQ(one_by_one.position, at_once.position);

  ByteHistory patches(1, 3);
  patches.append_patches({bytes.data(), 1, 6});
  EXPECT_EQ(pending(patches), (Ids{4, 5, 6}));
  EXPECT_EQ(patches.rows_done, 2);
}

TEST(ByteHistory, BeginsAfterThePatchBefore) {
  ByteHistory h(1, 2);
  const Ids before{8, 9};
  const std::uint8_t byte = 1;
  h.append(&byte);
  h.begin(before.data());
  EXPECT_EQ(h.position, 0);
  EXPECT_EQ(pending(h), before);
  h.begin(nullptr, 6);
  EXPECT_EQ(pending(h), (Ids{kNoByte, kNoByte}));
  EXPECT_EQ(h.position, 6);
  EXPECT_EQ(h.rows_done, 3);
}

TEST(ByteHistory, KnowsWhatCannotBe) {
  const auto valid_with = [](auto&& spoil) {
    ByteHistory h(1, 4);
    h.position = 9;
    h.rows_done = 2;
    spoil(h);
    return h.valid();
  };
  EXPECT_TRUE(valid_with([](ByteHistory&) {}));
  EXPECT_TRUE(valid_with([](ByteHistory& h) { h.rows_done = 3; }));
  EXPECT_FALSE(valid_with([](ByteHistory& h) { h.rows_done = 1; }));
  EXPECT_FALSE(valid_with([](ByteHistory& h) { h.rows_done = 4; }));
  EXPECT_FALSE(valid_with([](ByteHistory& h) { h.position = -1; }));
  EXPECT_FALSE(valid_with([](ByteHistory& h) { h.last[2] = 256; }));
  EXPECT_FALSE(valid_with([](ByteHistory& h) { h.partial[0] = -2; }));
}

}  // namespace
}  // namespace megalith
