// SPDX-License-Identifier: Apache-2.0
// The mask against its definition, pair by pair.
#include "megalith/kernels/attention_mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace megalith {
namespace {

std::vector<AttentionMask> masks() {
  std::vector<AttentionMask> all{{}, {.kind = MaskKind::chunk}};
  for (const Index size : {1, 2, 5, 40}) {
    all.push_back({.size = size});
    for (const Index overlap : {0, 1, 5, 7}) all.push_back({.kind = MaskKind::chunk, .size = size, .overlap = overlap});
  }
  return all;
}

/// Whether position p sees position j.
bool sees(const AttentionMask& m, Index p, Index j) {
  if (j > p) return false;
  if (m.size == 0) return true;
  if (m.kind == MaskKind::window) return p - j < m.size;
  const Index chunk = p / m.size;
  return j / m.size == chunk || chunk * m.size - j <= m.overlap;
}

std::string name(const AttentionMask& m) {
  return (m.kind == MaskKind::window ? "window " : "chunk ") + std::to_string(m.size) + ", overlap " +
         std::to_string(m.overlap);
}

TEST(AttentionMask, SeesFromTheFirstKeyOn) {
  for (const AttentionMask& m : masks())
    for (Index p = 0; p < 30; ++p)
      for (Index j = 0; j <= p; ++j) EXPECT_EQ(j >= m.first_key(p), sees(m, p, j)) << name(m) << ": " << j << " from " << p;
}

TEST(AttentionMask, RowsThatAreStillSeen) {
  for (const AttentionMask& m : masks()) {
    for (Index p = 0; p < 30; ++p) {
      Index seen = 0;
      for (Index j = 0; j < p; ++j) seen += sees(m, p, j);
      EXPECT_EQ(m.visible_before(p), seen) << name(m) << ", position " << p;
      EXPECT_LE(seen, m.state_rows(p)) << name(m) << ", position " << p;
    }
  }
}

TEST(AttentionMask, NoPositionSeesMoreThanTheMostKeys) {
  for (const AttentionMask& m : masks()) {
    for (const Index keys : {1, 4, 12, 30}) {
      Index most = 0;
      for (Index p = 0; p < keys; ++p) most = std::max(most, p + 1 - m.first_key(p));
      EXPECT_LE(most, m.most_keys(keys)) << name(m) << ", " << keys << " keys";
    }
  }
  EXPECT_EQ((AttentionMask{.kind = MaskKind::chunk, .size = 8, .overlap = 3}.most_keys(1000)), 11);
  EXPECT_EQ(AttentionMask{.size = 8}.most_keys(1000), 8);
}

TEST(AttentionMask, StatesHaveRoomForTwoWindowsOrAChunkAndItsOverlap) {
  EXPECT_EQ(AttentionMask{}.state_rows(1000), 1000);
  EXPECT_EQ(AttentionMask{.size = 8}.state_rows(1000), 16);
  EXPECT_EQ(AttentionMask{.size = 8}.state_rows(5), 5);
  EXPECT_EQ((AttentionMask{.kind = MaskKind::chunk, .size = 8, .overlap = 3}.state_rows(1000)), 11);
}

TEST(AttentionMask, CountsPairs) {
  for (const AttentionMask& m : masks()) {
    for (const Index T : {0, 1, 2, 9, 23}) {
      for (const Index past : {0, 3, 7, 12}) {
        Index pairs = 0;
        for (Index p = past; p < past + T; ++p)
          for (Index j = 0; j <= p; ++j) pairs += sees(m, p, j);
        EXPECT_EQ(m.pairs(T, past), static_cast<double>(pairs)) << name(m) << ": " << T << " after " << past;
      }
    }
  }
}

}  // namespace
}  // namespace megalith
