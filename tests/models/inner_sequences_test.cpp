// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/inner_sequences.h"

#include <gtest/gtest.h>

#include "support/decoders.h"

namespace megalith::tests {
namespace {

/// The pieces in the order of their bytes, as begin, sequences and bytes of each.
std::vector<std::array<Index, 3>> pieces_of(const InnerSequences& all) {
  std::vector<std::array<Index, 3>> out;
  for (Index first = 0; first < all.count; first += all.at_once) {
    for (Index i = 0; i < all.pieces(); ++i) {
      const auto piece = all.at({}, first, std::min(all.at_once, all.count - first), i);
      out.push_back({piece.begin, piece.bytes.B, piece.bytes.T});
    }
  }
  return out;
}

using Pieces = std::vector<std::array<Index, 3>>;

TEST(InnerSequences, ArePatchesWhereNothingGoesOn) {
  EXPECT_EQ(pieces_of({{2, 24}, 8, 0, 1024}), (Pieces{{0, 6, 8}}));
  EXPECT_EQ(pieces_of({{2, 24}, 8, 0, 33}), (Pieces{{0, 4, 8}, {32, 2, 8}}));
  EXPECT_EQ(pieces_of({{1, 16}, 8, 0, 1}), (Pieces{{0, 1, 8}, {8, 1, 8}}));
}

TEST(InnerSequences, AreThoseOfTheWholeWhereTheyGoOn) {
  EXPECT_EQ(pieces_of({{3, 24}, 8, 8, 50}), (Pieces{{0, 2, 24}, {48, 1, 24}}));
  EXPECT_EQ(pieces_of({{2, 24}, 8, 16, 9}), (Pieces{{0, 1, 16}, {16, 1, 8}, {24, 1, 16}, {40, 1, 8}}));
  EXPECT_EQ(pieces_of({{1, 16}, 8, 8, 1}), (Pieces{{0, 1, 8}, {8, 1, 8}}));
}

TEST(CopySequences, CopiesThemAndTheCounters) {
  const Megabyte<float> m(config_named("cross_patch"), 0);
  Workspace workspace(1);
  const Context ctx(workspace);
  const auto bytes = testing::draw_bytes(3 * 10, RandomKey{1});
  typename Megabyte<float>::State from(m, 3, 32), to(m, 2, 32);
  m.read(ctx, {bytes.data(), 3, 10}, {}, from);
  copy_sequences(from, 2, to, 1, 1);
  EXPECT_EQ(to.history.position, 10);
  EXPECT_TRUE(to.valid());
  copy_sequences(from, 1, to, 0, 1);
  // Both go on as the sequences that they were copied from.
  Tensor<float> expected({3, 1, kByteValues}), got({2, 1, kByteValues});
  m.next(ctx, {}, from, testing::view(expected));
  m.next(ctx, {}, to, testing::view(got));
  for (Index i = 0; i < 2 * kByteValues; ++i) EXPECT_NEAR(got.data()[i], expected.data()[kByteValues + i], 1e-5) << i;
}

}  // namespace
}  // namespace megalith::tests
